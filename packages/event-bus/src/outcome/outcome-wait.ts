import type { Clock } from '../clock.js'
import { EventBusError } from '../errors.js'
import type { CloudEvent } from '../event/cloud-event.js'
import { type EventDetails, hasEnded } from '../store/stored-event.js'
import type { PublishOutcome, ResolvedWaitOptions } from './wait-options.js'

type Outcome = Pick<PublishOutcome, 'settled' | 'deliveries'>
type EventKey = Pick<CloudEvent, 'id' | 'source'>

/** What {@link OutcomeWait} needs of its bus. */
export interface OutcomeHost {
  clock: Clock
  /** Whether other processes may consume from the store: what they do is not heard of, and has to be looked for. */
  isShared: boolean
  get(key: EventKey): Promise<EventDetails | undefined>
  /** The groups that subscriptions of this process consume for. */
  consumedGroups(): readonly string[]
}

/** How often to look for what other processes do; what ends in this one is noticed at once. */
const FIRST_LOOK_MS = 50
const MAX_LOOK_MS = 1_000

/** Waits until the groups that get an event have ended with it. */
export class OutcomeWait {
  readonly #host: OutcomeHost
  /** Wakes those that wait for an event, by its source and id. */
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #waits = new Set<Promise<unknown>>()
  #closed = false

  constructor(host: OutcomeHost) {
    this.#host = host
  }

  /** A group of this process ended with the event, and that is stored. */
  ended(event: EventKey): void {
    if (this.#waiting.size === 0) return
    for (const wake of this.#waiting.get(keyOf(event)) ?? []) wake()
  }

  /** Ends every wait, after a last look: nothing is consumed here any more. */
  async close(): Promise<void> {
    this.#closed = true
    for (const wakes of this.#waiting.values()) for (const wake of wakes) wake()
    await Promise.allSettled(this.#waits)
  }

  /** @throws EventBusError `CLOSED`, `STORE_UNAVAILABLE` when the store was away at the end; the reason of the signal */
  async wait(event: EventKey, options: ResolvedWaitOptions): Promise<Outcome> {
    const waiting = this.#wait(event, options)
    this.#waits.add(waiting)
    try {
      return await waiting
    } finally {
      this.#waits.delete(waiting)
    }
  }

  async #wait(
    event: EventKey,
    { timeoutMs, groups, signal }: ResolvedWaitOptions,
  ): Promise<Outcome> {
    const { clock, isShared } = this.#host
    // A subscription that closes meanwhile leaves its group unsettled.
    const wanted = groups ?? (isShared ? undefined : this.#host.consumedGroups())
    let wake = () => {}
    let isOver = false
    const look = () => wake()
    const forget = this.#listen(event, look)
    signal?.addEventListener('abort', look)
    const cancelTimeout = clock.schedule(() => {
      isOver = true
      wake()
    }, timeoutMs)
    try {
      for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_LOOK_MS)) {
        // What ends while the store is asked is not missed.
        const changed = new Promise<void>((resolve) => {
          wake = resolve
        })
        const isLast = isOver || this.#closed
        const outcome = await this.#look(event, wanted, groups).catch((error: unknown) => {
          if (isLast || !isAway(error)) throw error
        })
        if (outcome?.settled || (outcome && isOver)) return outcome
        signal?.throwIfAborted()
        if (isLast) throw closed(event)
        const cancel = isShared ? clock.schedule(wake, pauseMs) : undefined
        await changed
        cancel?.()
      }
    } finally {
      cancelTimeout()
      signal?.removeEventListener('abort', look)
      forget()
    }
  }

  async #look(
    event: EventKey,
    wanted: readonly string[] | undefined,
    expected: readonly string[] = [],
  ): Promise<Outcome> {
    const { deliveries: all = [] } = (await this.#host.get(event)) ?? {}
    const deliveries = wanted ? all.filter(({ group }) => wanted.includes(group)) : all
    // A group that was named and has no delivery yet is waited for.
    const isComplete = deliveries.length >= new Set(expected).size
    return { settled: isComplete && deliveries.every(hasEnded), deliveries }
  }

  #listen(event: EventKey, wake: () => void): () => void {
    const key = keyOf(event)
    const wakes = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, wakes.add(wake))
    return () => {
      wakes.delete(wake)
      if (wakes.size === 0 && this.#waiting.get(key) === wakes) this.#waiting.delete(key)
    }
  }
}

/** The server of the store went away; the store connects again by itself. */
function isAway(error: unknown): boolean {
  return error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE'
}

function keyOf({ id, source }: EventKey): string {
  return JSON.stringify([source, id])
}

function closed({ id, source }: EventKey): EventBusError {
  return new EventBusError(
    'CLOSED',
    `the bus was closed before every group had ended with the event ${id} of ${source}; it is stored, and get() tells how it ends`,
  )
}
