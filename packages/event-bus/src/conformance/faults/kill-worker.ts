import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeliveryContext } from '../../consume/handler/handler-runner.js'
import { EventBus } from '../../event-bus.js'
import type { SubscribeOptions } from '../../options.js'
import type { EventStore } from '../../store/event-store.js'

/** What a worker of the kill rounds is told, through its environment. */
export interface KillWorkerEnvironment {
  STORE_JOB: 'kill'
  KILL_DIRECTORY: string
  KILL_ROUND: string
  KILL_WORKER: string
  /** `load` publishes and handles until it is killed; `drain` handles the rest and ends. */
  KILL_MODE: 'load' | 'drain'
  /** Index in `PATTERN_SETS`. */
  KILL_PATTERNS: string
}

/** Handlers a killed worker may have been in the middle of, per consumer. */
export const KILL_CONCURRENCY = 8

/**
 * Ways to ask for the same events: each is the patterns of the consumers that a worker opens, one after the other. From
 * one worker to the next the patterns of a group change, and none of its events may be lost.
 */
export const PATTERN_SETS: readonly (readonly (readonly string[])[])[] = [
  [['kill.in.*']],
  [['kill.in.>']],
  [['kill.in.a', 'kill.in.b']],
  [['kill.in.*'], ['kill.in.a', 'kill.in.b']],
]

const TYPES = ['kill.in.a', 'kill.in.b']
const KEYS = ['a', 'b', 'c', 'd', 'e']
const LONGEST_DELAY_MS = 400
const options = {
  concurrency: KILL_CONCURRENCY,
  retry: { maxAttempts: 1_000, baseDelayMs: 5, maxDelayMs: 50 },
  ackWaitMs: 2_000,
} satisfies Partial<SubscribeOptions>

/**
 * One process of the kill rounds: publishes in order per key and with delays, handles in four groups, and writes down what
 * was acked and handled in files that a kill leaves behind.
 */
export async function runKillWorker(openStore: () => EventStore): Promise<void> {
  const environment = process.env as unknown as KillWorkerEnvironment
  const bus = await patiently(() => EventBus.open({ store: openStore() }))
  const note: Note = (file, line) =>
    appendFileSync(join(environment.KILL_DIRECTORY, file), `${line}\n`)
  await subscribe(bus, PATTERN_SETS[Number(environment.KILL_PATTERNS)]!, note)
  process.send?.('ready')
  if (environment.KILL_MODE === 'drain') {
    await drained(bus)
    await bus.close()
    process.exit(0)
  }
  const { KILL_WORKER: worker, KILL_ROUND: round } = environment
  await Promise.all([
    ...KEYS.map((letter) => publishLane(bus, `${worker}${letter}`, round, note)),
    publishDelayed(bus, `${worker}-${round}`, note),
  ])
}

type Note = (file: string, line: string) => void

async function subscribe(
  bus: EventBus,
  patternsOfConsumers: readonly (readonly string[])[],
  note: Note,
): Promise<void> {
  for (const patterns of patternsOfConsumers) {
    await bus.subscribe(
      patterns,
      async (delivery) => {
        await work(delivery)
        note('ordered', delivery.event.id)
      },
      { ...options, group: 'ordered', orderingKey: 'data.key' },
    ).ready
    await bus.subscribe(
      patterns,
      async (delivery) => {
        await work(delivery)
        note('emitter', delivery.event.id)
        return { emit: [{ type: 'kill.out', data: { of: delivery.event.id } }] }
      },
      { ...options, group: 'emitter' },
    ).ready
  }
  await bus.subscribe(
    'kill.out',
    ({ event }) => note('sink', `${(event.data as { of: string }).of} ${event.id}`),
    { ...options, group: 'sink' },
  ).ready
  await bus.subscribe(
    'kill.later',
    ({ event }) => {
      const { dueMs } = event.data as { dueMs: number }
      note('later', `${event.id} ${Math.round(dueMs - uptimeMs())}`)
    },
    { ...options, group: 'later' },
  ).ready
}

/** A moment of work, which fails now and then at the first attempt. */
async function work({ attempt }: DeliveryContext): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
  if (attempt === 1 && Math.random() < 0.1) throw new Error('unlucky')
}

async function publishLane(bus: EventBus, key: string, round: string, note: Note): Promise<void> {
  for (let n = 0; ; n++) {
    const id = `${key}-${round}-${n}`
    await patiently(() => bus.publish({ type: TYPES[n % 2]!, id, data: { key } }))
    note('acked', id)
  }
}

async function publishDelayed(bus: EventBus, name: string, note: Note): Promise<void> {
  for (let n = 0; ; n++) {
    const id = `${name}-${n}`
    const delayMs = Math.floor(Math.random() * LONGEST_DELAY_MS)
    const data = { dueMs: uptimeMs() + delayMs }
    await patiently(() => bus.publish({ type: 'kill.later', id, data }, { delayMs }))
    note('acked-later', id)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Milliseconds of a clock that all processes of this machine share and no test sets. */
function uptimeMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

/** The server may be down: the same id is published until it is acked. */
async function patiently<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Resolves when three looks in a row found nothing left to do. */
async function drained(bus: EventBus): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const { store } = await patiently(() => bus.getStats())
    const left = store.groups.reduce(
      (sum, { behind, running, scheduled }) => sum + behind + running + scheduled,
      0,
    )
    quiet = left === 0 && store.connected ? quiet + 1 : 0
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
