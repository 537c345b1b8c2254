import type { Clock } from '../clock.js'
import { EventBusError } from '../errors.js'
import type { ResolvedBatchingOptions, ResolvedPublisherOptions } from '../options.js'
import type { AppendRequest, EventStore, PublishResult } from '../store/event-store.js'
import type { Durability } from '../store/stored-event.js'
import { PublishRetry } from './publish-retry.js'

/** Fewer events are not worth a write of their own. */
const MIN_SHARE = 16

interface Pending {
  requests: AppendRequest[]
  durability: Durability | undefined
  resolve(results: PublishResult[]): void
  reject(error: unknown): void
}

/**
 * Lets publishes that come while a write is under way share the next one. A lone publish is written at
 * once; a slow store gets a second write after `maxWaitMs`, not an ever longer queue.
 */
export class Publisher {
  readonly #store: EventStore
  readonly #batching: ResolvedBatchingOptions
  readonly #maxPendingEvents: number
  readonly #clock: Clock
  readonly #retry: PublishRetry
  #queue: Pending[] = []
  #queued = 0
  #pending = 0
  #writing = 0
  #scheduled = false
  #cancelWait: (() => void) | undefined
  #drained: (() => void)[] = []

  constructor(
    store: EventStore,
    options: ResolvedPublisherOptions,
    maxPendingEvents: number,
    clock: Clock,
  ) {
    this.#store = store
    this.#batching = options.batching
    this.#retry = new PublishRetry(options.retry, clock)
    this.#maxPendingEvents = maxPendingEvents
    this.#clock = clock
  }

  /** Events on their way into the store. */
  get pending(): number {
    return this.#pending
  }

  /** Writes that failed and were made again. */
  get retries(): number {
    return this.#retry.retries
  }

  /** @throws EventBusError `BACKPRESSURE` when the store is too far behind */
  publish(requests: AppendRequest[], durability: Durability | undefined): Promise<PublishResult[]> {
    // One call larger than the bound must still be possible, on its own.
    if (this.#pending > 0 && this.#pending + requests.length > this.#maxPendingEvents) {
      return Promise.reject(
        new EventBusError(
          'BACKPRESSURE',
          `the store is behind: ${this.#pending} events wait to be stored, at most ${this.#maxPendingEvents} may; wait for bus.drained() and publish again`,
          { details: { pending: this.#pending, maxPendingEvents: this.#maxPendingEvents } },
        ),
      )
    }
    const { maxSize } = this.#batching
    this.#pending += requests.length
    if (requests.length <= maxSize) return this.#enqueue(requests, durability)
    return this.#inParts(requests, durability)
  }

  /** One part after the other: when one fails, what is stored is the beginning, in order. */
  async #inParts(
    requests: AppendRequest[],
    durability: Durability | undefined,
  ): Promise<PublishResult[]> {
    const { maxSize } = this.#batching
    const results: PublishResult[] = []
    try {
      while (results.length < requests.length) {
        const part = requests.slice(results.length, results.length + maxSize)
        results.push(...(await this.#enqueue(part, durability)))
      }
    } catch (error) {
      this.#leave(Math.max(0, requests.length - results.length - maxSize))
      throw partlyStored(error, results.length)
    }
    return results
  }

  #enqueue(
    requests: AppendRequest[],
    durability: Durability | undefined,
  ): Promise<PublishResult[]> {
    return new Promise((resolve, reject) => {
      this.#queued += requests.length
      this.#queue.push({ requests, durability, resolve, reject })
      this.#consider()
    })
  }

  /** Resolves when fewer than half of the events wait that may. */
  drained(): Promise<void> {
    if (this.#pending * 2 <= this.#maxPendingEvents) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  /** Resolves when everything published so far is stored, or failed; retries no longer wait. */
  async settled(): Promise<void> {
    this.#retry.hurry()
    while (this.#pending > 0) {
      await new Promise<void>((resolve) => this.#drained.push(resolve))
    }
  }

  #consider(): void {
    const { enabled, maxSize, maxWaitMs } = this.#batching
    if (!enabled) {
      while (this.#queue.length > 0) void this.#write([this.#queue.shift()!])
    } else if (this.#hasRoom() || this.#queued >= maxSize) {
      if (this.#scheduled) return
      this.#scheduled = true
      // The rest of this turn's publishes belong to the same write.
      queueMicrotask(() => {
        this.#scheduled = false
        if (this.#hasRoom() || this.#queued >= maxSize) this.#flush()
      })
    } else if (this.#queue.length > 0 && this.#cancelWait === undefined) {
      this.#cancelWait = this.#clock.schedule(() => this.#flush(), maxWaitMs)
    }
  }

  #hasRoom(): boolean {
    return this.#writing < this.#store.concurrentAppends
  }

  #flush(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
    let batch: Pending[] = []
    let size = 0
    const most = this.#share()
    for (const pending of this.#queue) {
      const fits = size + pending.requests.length <= most
      if (size > 0 && !(fits && pending.durability === batch[0]!.durability)) {
        void this.#write(batch)
        batch = []
        size = 0
      }
      batch.push(pending)
      size += pending.requests.length
    }
    this.#queue = []
    if (batch.length > 0) void this.#write(batch)
  }

  /** Publishers that one answer lets go on come back together: in one write, they would leave the store idle meanwhile. */
  #share(): number {
    const room = this.#store.concurrentAppends - this.#writing
    if (room < 2 || room === Number.POSITIVE_INFINITY) return this.#batching.maxSize
    const share = Math.max(MIN_SHARE, Math.ceil(this.#queued / room))
    return Math.min(share, this.#batching.maxSize)
  }

  async #write(batch: Pending[]): Promise<void> {
    const requests = batch.flatMap((pending) => pending.requests)
    this.#queued -= requests.length
    this.#writing += 1
    try {
      const { durability } = batch[0]!
      const results = await this.#retry.run((attempt) =>
        // The write before may have stored them, although it failed: no id is fresh any more.
        this.#store.append(attempt === 1 ? requests : requests.map(withKnownId), durability),
      )
      let at = 0
      for (const { requests: own, resolve } of batch) {
        resolve(results.slice(at, at + own.length))
        at += own.length
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#writing -= 1
    this.#leave(requests.length)
    if (this.#queue.length > 0) this.#consider()
  }

  /** These events are stored or failed. */
  #leave(count: number): void {
    this.#pending -= count
    if (this.#pending * 2 <= this.#maxPendingEvents) {
      for (const resolve of this.#drained.splice(0)) resolve()
    }
  }
}

function withKnownId(request: AppendRequest): AppendRequest {
  return { ...request, hasFreshId: false }
}

function partlyStored(error: unknown, stored: number): unknown {
  if (!(error instanceof EventBusError)) return error
  return new EventBusError(error.code, error.message, {
    details: { ...error.details, stored },
    cause: error,
  })
}
