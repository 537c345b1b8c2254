import assert from 'node:assert/strict'
import type { DeliveryContext, EventHandler } from '../../consume/handler/handler-runner.js'
import type { Subscription } from '../../consume/subscription.js'
import type { CloudEvent } from '../../event/cloud-event.js'
import { EventBus } from '../../event-bus.js'
import type { EventBusOptions, SubscribeOptions } from '../../options.js'
import type { RetentionOptions } from '../../retention/retention-options.js'
import type { EventStore } from '../../store/event-store.js'

/** What some cases ask of a store. */
export interface StoreOptions {
  /** What to keep. @default everything */
  retention?: RetentionOptions
}

/** A place for events that one case has for itself. */
export interface Storage {
  /**
   * Opens a store on this place; called again after the store before was closed, or beside it when `shared`. A server's
   * own window of duplicates, where it has one that can be set, is to be 100 ms in a store with options.
   */
  openStore(options?: StoreOptions): EventStore
  /** Environment variables by which the worker program finds this place. @default none */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** Removes the place. */
  dispose(): Promise<void>
}

/** What a backend brings to `conformanceCases`. */
export interface ConformanceHarness {
  /** Makes an empty place. */
  createStorage(): Promise<Storage>
  /** Events outlive the store that wrote them. */
  persistent: boolean
  /** Several stores may work on one place at once. */
  shared: boolean
}

/** One promise and the test of it. */
export interface ConformanceCase {
  /** The promise, as a sentence. */
  name: string
  /** Rejects with an AssertionError when the store does not keep it. */
  run(harness: ConformanceHarness): Promise<void>
}

/** No case waits longer than this for what was promised. */
const DEADLINE_MS = 25_000

/** Runs `body` with buses on a fresh place, and leaves nothing behind. */
export async function withStorage(
  harness: ConformanceHarness,
  body: (
    openBus: (options?: Partial<EventBusOptions>, store?: StoreOptions) => Promise<EventBus>,
  ) => Promise<void>,
): Promise<void> {
  const storage = await harness.createStorage()
  const buses: EventBus[] = []
  try {
    await body(async (options = {}, store) => {
      const bus = await EventBus.open({ store: storage.openStore(store), ...options })
      buses.push(bus)
      return bus
    })
  } finally {
    await Promise.all(buses.map((bus) => bus.close({ drainTimeoutMs: 1_000 })))
    await storage.dispose()
  }
}

/** A case with one bus. */
export function withBus(name: string, body: (bus: EventBus) => Promise<void>): ConformanceCase {
  return {
    name,
    run: (harness) => withStorage(harness, async (openBus) => body(await openBus())),
  }
}

/** Keeps what a subscription got. */
export class Inbox {
  readonly deliveries: DeliveryContext[] = []
  #changed: (() => void)[] = []

  add(delivery: DeliveryContext): void {
    this.deliveries.push(delivery)
    for (const changed of this.#changed.splice(0)) changed()
  }

  get ids(): string[] {
    return this.deliveries.map(({ event }) => event.id)
  }

  get events(): CloudEvent[] {
    return this.deliveries.map(({ event }) => event)
  }

  /** Resolves when `count` deliveries came; fails when they do not come. */
  async waitFor(count: number): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS
    while (this.deliveries.length < count) {
      const left = deadline - Date.now()
      assert.ok(left > 0, `expected ${count} deliveries, got ${this.deliveries.length}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#changed.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }
}

/** Subscribes and waits until the group exists; the handler runs after the inbox has the delivery. */
export async function collect(
  bus: EventBus,
  patterns: string | string[],
  options: SubscribeOptions,
  handler: EventHandler = () => {},
): Promise<{ inbox: Inbox; subscription: Subscription }> {
  const inbox = new Inbox()
  const subscription = bus.subscribe(
    patterns,
    (delivery) => {
      inbox.add(delivery)
      return handler(delivery)
    },
    options,
  )
  await subscription.ready
  return { inbox, subscription }
}

/** Asks until the answer holds; fails when it never does. */
export async function eventually(
  what: string,
  check: () => Promise<boolean>,
  withinMs = DEADLINE_MS,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `expected ${what} within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The status of an event in a group. */
export async function statusOf(bus: EventBus, id: string, group: string): Promise<string> {
  const found = await bus.get(id)
  return found?.deliveries.find((delivery) => delivery.group === group)?.status ?? 'none'
}

/** Fails unless the promise rejects with this code. */
export async function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: { code?: string }) => {
    assert.equal(error.code, code)
    return true
  })
}
