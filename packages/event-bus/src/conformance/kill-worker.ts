import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HandlerDelivery } from '../consume/handler-runner.js'
import { EventBus } from '../event-bus.js'
import type { EventStore } from '../store/event-store.js'

/** What a worker of the kill test is told, through its environment. */
export interface KillWorkerEnvironment {
  KILL_DIRECTORY: string
  KILL_ROUND: string
  KILL_WORKER: string
  /** `load` publishes and handles until it is killed; `drain` handles the rest and ends. */
  KILL_MODE: 'load' | 'drain'
}

/** Handlers a killed worker may have been in the middle of, per group. */
export const KILL_CONCURRENCY = 8

const KEYS = ['a', 'b', 'c', 'd', 'e']
const retry = { maxAttempts: 50, baseDelayMs: 5, maxDelayMs: 50 }

/**
 * One process of the kill test: publishes in order per key, handles in three groups, and writes down what
 * was acked and handled in files that a kill leaves behind.
 */
export async function runKillWorker(openStore: () => EventStore): Promise<void> {
  const environment = process.env as unknown as KillWorkerEnvironment
  const bus = await openPatiently(openStore)
  const note = (file: string, line: string): void =>
    appendFileSync(join(environment.KILL_DIRECTORY, file), `${line}\n`)

  const subscriptions = [
    bus.subscribe(
      'kill.in',
      async (delivery) => {
        await work(delivery)
        note('ordered', delivery.event.id)
      },
      {
        group: 'ordered',
        orderingKey: 'data.key',
        concurrency: KILL_CONCURRENCY,
        retry,
        ackWaitMs: 2_000,
      },
    ),
    bus.subscribe(
      'kill.in',
      async (delivery) => {
        await work(delivery)
        note('emitter', delivery.event.id)
        return { emit: [{ type: 'kill.out', data: { of: delivery.event.id } }] }
      },
      { group: 'emitter', concurrency: KILL_CONCURRENCY, retry, ackWaitMs: 2_000 },
    ),
    bus.subscribe(
      'kill.out',
      ({ event }) => note('sink', `${(event.data as { of: string }).of} ${event.id}`),
      { group: 'sink', concurrency: KILL_CONCURRENCY, retry, ackWaitMs: 2_000 },
    ),
  ]
  await Promise.all(subscriptions.map(({ ready }) => ready))
  process.send?.('ready')
  if (environment.KILL_MODE === 'drain') {
    await drained(bus)
    await bus.close()
    process.exit(0)
  }
  await Promise.all(
    KEYS.map((letter) =>
      publishLane(bus, `${environment.KILL_WORKER}${letter}`, environment.KILL_ROUND, note),
    ),
  )
}

/** A moment of work, which fails now and then at the first attempt. */
async function work({ attempt }: HandlerDelivery): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
  if (attempt === 1 && Math.random() < 0.1) throw new Error('unlucky')
}

async function publishLane(
  bus: EventBus,
  key: string,
  round: string,
  note: (file: string, line: string) => void,
): Promise<void> {
  for (let n = 0; ; n++) {
    const id = `${key}-${round}-${n}`
    await patiently(() => bus.publish({ type: 'kill.in', id, data: { key } }))
    note('acked', id)
  }
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

function openPatiently(openStore: () => EventStore): Promise<EventBus> {
  return patiently(() => EventBus.open({ store: openStore() }))
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
