import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeliveryContext } from '../../consume/handler/handler-runner.js'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'

/** What a worker of the fault rounds is told, through its environment. */
export interface FaultWorkerEnvironment {
  /** Where the worker writes down what it did. */
  FAULT_DIRECTORY: string
  /** Start of the keys and ids of this worker; no other one ever has it. */
  FAULT_NAME: string
  /** Patterns on one line, as one generation of a program asks for. */
  FAULT_PATTERNS: string
  /** `load` handles, publishes once a message asks for it, and is killed; `drain` handles the rest and ends. */
  FAULT_MODE: 'load' | 'drain'
}

/** Attempts of a handler that fails each time. */
export const FAULT_ATTEMPTS = 4
/** Every so many-th event of a lane is delayed; every so many-th fails each time. */
const DELAYED_EVERY = 7
const POISON_EVERY = 13
const LANES = ['a', 'b', 'c']
const PAUSE_MS = 10

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
  await handleFaultEvents(bus, FAULT_PATTERNS.split(' '), note)
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
  bus.on('dead-lettered', ({ event, group }) => note('dead', group, event.id))
  const retry = { maxAttempts: FAULT_ATTEMPTS, baseDelayMs: 20, maxDelayMs: 200 }
  const options = { retry, ackWaitMs: 2_000, concurrency: 4 }
  const work = async (group: string, { event, attempt }: DeliveryContext): Promise<void> => {
    note('started', group, event.id, attempt)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    if (event.id.endsWith('-poison')) throw new Error('poison')
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
    const type = n % 3 === 2 ? 'fault.b' : 'fault.a'
    const id = `${key}-${n}-${kind}`
    // The time is part of the event: what is published again is the same, also when the server forgot it.
    const time = new Date().toISOString()
    const publish = () =>
      bus.publish({ type, id, time, data: { key } }, delayMs === undefined ? {} : { delayMs })
    await patiently(publish)
    note('acked', id, type, sharedNowMs())
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
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
