import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeliveryContext } from '../../../consume/handler/handler-runner.js'
import { EventBus } from '../../../event-bus.js'
import type { EventStore } from '../../../store/event-store.js'

/** What a process of the fault rounds is told, through its environment. */
export interface FaultWorkerEnvironment {
  STORE_JOB: 'faults'
  /** Where the process writes down what it did. */
  FAULT_DIRECTORY: string
  /** Start of the keys and ids of this process; no other one ever has it. */
  FAULT_NAME: string
  /** The patterns of each of its consumers, as JSON. */
  FAULT_PATTERNS: string
  /** `load` handles, publishes once a message asks for it, and is killed; `drain` handles the rest and ends. */
  FAULT_MODE: 'load' | 'drain'
}

/** What an older version of a program asks for: the patterns of each of its consumers. */
export const OLDER: readonly (readonly string[])[] = [['fault.in.a']]
/** Ways in which newer versions ask for all. */
export const NEWER: readonly (typeof OLDER)[] = [
  [['fault.in.a', 'fault.in.b']],
  [['fault.in.*']],
  [['fault.in.>']],
  [['fault.in.*'], ['fault.in.a', 'fault.in.b']],
]
/** Handlers that one consumer runs at once. */
export const FAULT_CONCURRENCY = 8
/** Consumers of the groups whose handlings are counted, in one process at most. */
export const CONSUMERS = 4
/** Attempts of a handler that fails each time. */
export const FAULT_ATTEMPTS = 4
/** Every so many-th event of a lane is delayed; every so many-th fails each time. */
const DELAYED_EVERY = 7
const POISON_EVERY = 13
/** This share of first attempts fails. */
const UNLUCKY = 0.05
const LANES = ['a', 'b', 'c']
const LONGEST_PAUSE_MS = 15

/** Milliseconds of a clock that all processes of the machine share, and that is never stepped. */
export function sharedNowMs(): number {
  return Math.round(Number(process.hrtime.bigint() / 1_000_000n))
}

/**
 * One process of the fault rounds: publishes events of all kinds, handles them in three groups, and writes down in files
 * that a kill leaves behind what was acked, which handlers started and ended, and what was given up.
 */
export async function runFaultWorker(openStore: () => EventStore): Promise<void> {
  const environment = process.env as unknown as FaultWorkerEnvironment
  const { FAULT_DIRECTORY, FAULT_NAME, FAULT_PATTERNS, FAULT_MODE } = environment
  const note = notesIn(FAULT_DIRECTORY)
  const bus = await patiently(() => EventBus.open({ store: openStore() }))
  bus.on('emptied', () => note('emptied', sharedNowMs(), FAULT_NAME))
  for (const patterns of JSON.parse(FAULT_PATTERNS) as string[][]) {
    await handleFaultEvents(bus, patterns, note)
  }
  bus.on('dead-lettered', ({ event, group }) => note('dead', group, event.id))
  const asked = new Promise((resolve) => process.once('message', resolve))
  process.send?.('ready')
  if (FAULT_MODE === 'drain') {
    await drained(bus)
    await bus.close()
    process.exit(0)
  }
  await asked
  await Promise.all(LANES.map((lane) => publishLane(bus, `${FAULT_NAME}${lane}`, note)))
}

/** Writes a line of words to one of the files of notes. */
export type Note = (file: string, ...words: (string | number)[]) => void

/** Notes that a kill leaves behind. */
export function notesIn(directory: string): Note {
  return (file, ...words) => appendFileSync(join(directory, file), `${words.join(' ')}\n`)
}

/** Handles the events in three groups, and notes which handlers started and ended, and what was given up. */
export async function handleFaultEvents(
  bus: EventBus,
  patterns: string[],
  note: Note,
): Promise<void> {
  const retry = { maxAttempts: FAULT_ATTEMPTS, baseDelayMs: 20, maxDelayMs: 200 }
  const options = { retry, ackWaitMs: 2_000, concurrency: FAULT_CONCURRENCY }
  const work = async (group: string, { event, attempt }: DeliveryContext): Promise<void> => {
    note('started', group, event.id, attempt)
    const { dueMs } = event.data as { dueMs?: number }
    if (dueMs !== undefined && sharedNowMs() < dueMs - 1) note('early', group, event.id)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    if (event.id.endsWith('-poison')) throw new Error('poison')
    if (attempt === 1 && Math.random() < UNLUCKY) throw new Error('unlucky')
    note('handled', group, event.id, event.type, sharedNowMs())
  }
  const subscriptions = [
    bus.subscribe(patterns, (delivery) => work('ordered', delivery), {
      group: 'ordered',
      orderingKey: 'data.key',
      ...options,
    }),
    bus.subscribe(
      patterns,
      async (delivery) => {
        await work('emitter', delivery)
        return { emit: [{ type: 'fault.out', data: { of: delivery.event.id } }] }
      },
      { group: 'emitter', ...options },
    ),
    bus.subscribe(
      'fault.out',
      ({ event }) => note('emitted', (event.data as { of: string }).of, event.id),
      { group: 'sink', ...options },
    ),
  ]
  await Promise.all(subscriptions.map(({ ready }) => ready))
}

/** Publishes events of all kinds one after the other, and notes which were acked. */
export async function publishLane(
  bus: EventBus,
  key: string,
  note: Note,
  count = Number.POSITIVE_INFINITY,
): Promise<void> {
  for (let n = 0; n < count; n++) {
    const delayMs = n % DELAYED_EVERY === DELAYED_EVERY - 1 ? 50 + Math.random() * 1_500 : undefined
    const isPoison = n % POISON_EVERY === POISON_EVERY - 1
    const kind = isPoison ? 'poison' : delayMs === undefined ? 'plain' : 'delayed'
    const type = n % 3 === 2 ? 'fault.in.b' : 'fault.in.a'
    const id = `${key}-${n}-${kind}`
    // The time is part of the event: what is published again is the same, also when the server forgot it.
    const time = new Date().toISOString()
    const data = { key, ...(delayMs !== undefined && { dueMs: sharedNowMs() + delayMs }) }
    const publish = () =>
      bus.publish({ type, id, time, data }, delayMs === undefined ? {} : { delayMs })
    await patiently(publish)
    note('acked', id, type, sharedNowMs())
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE_MS))
  }
}

/** The server may be away: the same is asked again until it is answered. */
async function patiently<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Resolves when five looks in a row found nothing left to do. */
export async function drained(bus: EventBus): Promise<void> {
  for (let quiet = 0; quiet < 5; ) {
    const { store } = await patiently(() => bus.getStats())
    const left = store.groups.reduce(
      (sum, { behind, running, scheduled }) => sum + behind + running + scheduled,
      0,
    )
    quiet = left === 0 && store.connected ? quiet + 1 : 0
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
