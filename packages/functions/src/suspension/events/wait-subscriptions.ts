import { isDeepStrictEqual } from 'node:util'
import type { EventBus, Subscription } from '@nexus/event-bus'
import type { FunctionDefinition } from '../../function-definition.js'
import { waitPatterns, waitsGroup } from './waits-group.js'
import { wakeWaiting } from './wake-waiting.js'

/** An event is not given up: while the store is away, calls wait longer. */
const RETRY = { maxAttempts: 1_000_000, maxDelayMs: 30_000 }

interface Waits {
  patterns: readonly string[]
  /** That of the function. */
  ackWaitMs: number | undefined
}

/** Takes the events that suspended calls may wait for: one consumer group for each function with a capability for that. */
export class WaitSubscriptions {
  readonly #bus: EventBus
  readonly #open = new Map<string, { waits: Waits; subscription: Subscription }>()

  constructor(bus: EventBus) {
    this.#bus = bus
  }

  /** Makes these functions the ones whose calls are woken; resolves when no event is missed from then on. */
  async set(functions: readonly FunctionDefinition[]): Promise<void> {
    const wanted = new Map(
      functions
        .map(({ name, capabilities, ackWaitMs }) => {
          return [name, { patterns: waitPatterns(capabilities), ackWaitMs }] as const
        })
        .filter(([, { patterns }]) => patterns.length > 0),
    )
    for (const [name, { waits, subscription }] of this.#open) {
      if (isDeepStrictEqual(wanted.get(name), waits)) continue
      this.#open.delete(name)
      await subscription.close()
    }
    for (const [name, waits] of wanted) {
      if (this.#open.has(name)) continue
      this.#open.set(name, { waits, subscription: this.#subscribe(name, waits) })
    }
    await Promise.all([...this.#open.values()].map(({ subscription }) => subscription.ready))
  }

  /** Leaves the groups: what comes meanwhile waits for the next process. */
  async close(options: { drainTimeoutMs: number }): Promise<void> {
    const open = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(open.map(({ subscription }) => subscription.close(options)))
  }

  #subscribe(name: string, { patterns, ackWaitMs }: Waits): Subscription {
    return this.#bus.subscribe(patterns, (delivery) => wakeWaiting(this.#bus, name, delivery), {
      group: waitsGroup(name),
      retry: RETRY,
      ackWaitMs,
    })
  }
}
