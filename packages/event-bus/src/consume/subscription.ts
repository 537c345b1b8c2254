import { setMaxListeners } from 'node:events'
import type { Clock } from '../clock.js'
import { EventBusError } from '../errors.js'
import type { CloudEvent, EventInput } from '../event/cloud-event.js'
import { orderingKeyReader } from '../event/ordering-key.js'
import type { ResolvedSubscribeOptions } from '../options.js'
import { claimLost } from '../store/backend/claim-lost.js'
import type { AppendRequest, Claim, GroupConsumer, PublishResult } from '../store/event-store.js'
import { ChangeSignal } from './change-signal.js'
import { ClaimKeeper } from './claim-keeper.js'
import { FetchLoop } from './fetch-loop.js'
import { describeFailure } from './handler/delivery-error.js'
import { type Attempt, type EventHandler, HandlerRunner } from './handler/handler-runner.js'
import { isInsideHandlerOf } from './handler/handler-scope.js'
import { ClaimAhead } from './queue/claim-ahead.js'
import { RateLimiter } from './queue/rate-limiter.js'
import { RunQueue } from './queue/run-queue.js'
import { Settler } from './settler.js'
import { storeRetryMs } from './store-retry.js'

/** What a subscription did since it was opened. */
export interface SubscriptionStats {
  /** The consumer group. */
  group: string
  /** What the subscription asks for. */
  patterns: readonly string[]
  /** It takes no events until it is resumed. */
  paused: boolean
  /** Handlers that run. */
  running: number
  /** Claimed, but behind another event of the same key. */
  waiting: number
  /** Attempts that succeeded. */
  succeeded: number
  /** Attempts that failed. */
  failed: number
  /** Failed attempts that are made again. */
  retried: number
  /** Events that ended as dead letters. */
  deadLettered: number
  /** Claims that were lost before they were settled: another consumer may have handled the event. */
  lost: number
  /** The options that bound it. */
  limits: { concurrency: number; batchSize: number; maxPerSecond: number | null }
}

/** What a subscription needs of its bus. */
export interface SubscriptionHost {
  clock: Clock
  openConsumer(): Promise<GroupConsumer>
  /** Longest JSON of a record in UTF-8 bytes. */
  maxRecordBytes(): number
  encodeEmitted(input: EventInput, id: string, parent: CloudEvent): AppendRequest
  onDelivered(claim: Claim, group: string, durationMs: number, emitted: PublishResult[]): void
  onFailed(claim: Claim, group: string, error: Error, nextDelayMs: number | undefined): void
  onDeadLettered(claim: Claim, group: string, error: Error, emitted: PublishResult[]): void
  onClosed(subscription: Subscription): void
  onError(error: unknown): void
}

/** A consumer of a group: fetches events, runs the handler, settles. */
export class Subscription {
  /** The consumer group. */
  readonly group: string
  /** What it asks for. */
  readonly patterns: readonly string[]
  /** Settles when the group exists in the store, which is waited for: later events reach it. */
  readonly ready: Promise<void>
  readonly #options: ResolvedSubscribeOptions
  readonly #host: SubscriptionHost
  readonly #runner: HandlerRunner
  readonly #signal: ChangeSignal
  readonly #claims: ClaimKeeper
  readonly #queue: RunQueue
  readonly #ahead: ClaimAhead
  readonly #fetchLoop: FetchLoop
  readonly #settler: Settler
  readonly #keyOf: ((event: CloudEvent) => string | undefined) | undefined
  /** Aborts when the drain took too long. */
  readonly #expired = new AbortController()
  readonly #counts = { succeeded: 0, failed: 0, retried: 0, deadLettered: 0, lost: 0 }
  #consumer: GroupConsumer | undefined
  #paused = false
  #goingOn = false
  #closing: Promise<void> | undefined
  #loop: Promise<void> = Promise.resolve()

  constructor(
    patterns: readonly string[],
    handler: EventHandler,
    options: ResolvedSubscribeOptions,
    host: SubscriptionHost,
  ) {
    this.group = options.group
    this.patterns = patterns
    this.#options = options
    this.#host = host
    const { clock, onError } = host
    const { signal } = this.#expired
    // Every handler that runs and every settlement that waits may listen.
    setMaxListeners(0, signal)
    if (options.orderingKey !== undefined) this.#keyOf = orderingKeyReader(options.orderingKey)
    const limiter =
      options.maxPerSecond === undefined ? undefined : new RateLimiter(options.maxPerSecond, clock)
    this.#signal = new ChangeSignal(clock)
    this.#claims = new ClaimKeeper(clock, options.ackWaitMs, onError)
    this.#settler = new Settler({
      clock,
      expired: signal,
      onError,
      refused: (claim, settlement, refusal) => this.#runner.refused(claim, settlement, refusal),
    })
    this.#queue = new RunQueue({
      clock,
      concurrency: options.concurrency,
      limiter,
      keyOf: (claim) => this.#key(claim),
      onStart: (claims) => void this.#begin(claims),
      onRoom: () => this.#signal.notify(),
    })
    this.#ahead = new ClaimAhead(options.concurrency, options.fetch.batchSize)
    this.#fetchLoop = new FetchLoop({
      clock,
      signal: this.#signal,
      maxWaitMs: options.fetch.maxWaitMs,
      wanted: () => this.#wanted(),
      onClaims: (claims) => this.#claimed(claims),
      onError,
    })
    this.#runner = new HandlerRunner(handler, {
      group: options.group,
      retry: options.retry,
      keyOf: this.#keyOf && ((claim) => this.#key(claim)),
      signal,
      scope: this,
      maxRecordBytes: () => host.maxRecordBytes(),
      encodeEmitted: (input, id, parent) => host.encodeEmitted(input, id, parent),
      onDeadLetter: options.onDeadLetter,
      onError,
    })
    this.ready = this.#open()
    this.ready.catch((error: unknown) => onError(error))
  }

  /** Stops taking events; those that run go on. */
  pause(): void {
    this.#paused = true
    this.#fetchLoop.interrupt()
  }

  /** Takes events again. */
  resume(): void {
    this.#paused = false
    this.#signal.notify()
  }

  /** What it did in this process, and what it is doing. */
  getStats(): SubscriptionStats {
    const { concurrency, fetch, maxPerSecond } = this.#options
    return {
      group: this.group,
      patterns: this.patterns,
      paused: this.#paused,
      running: this.#queue.running,
      waiting: this.#claims.size - this.#queue.running - this.#queue.settling,
      ...this.#counts,
      limits: { concurrency, batchSize: fetch.batchSize, maxPerSecond: maxPerSecond ?? null },
    }
  }

  /**
   * Takes no more events, waits for those that run, then gives the rest back. The group goes on existing. Called
   * in its own handler it resolves at once: the handler has to end before the rest can happen.
   */
  close(options: { drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainTimeoutMs ?? 10_000).finally(() =>
      this.#host.onClosed(this),
    )
    if (!isInsideHandlerOf(this)) return this.#closing
    this.#closing.catch((error: unknown) => this.#host.onError(error))
    return Promise.resolve()
  }

  /** See {@link close}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open(): Promise<void> {
    this.#consumer = await this.#openConsumer()
    this.#loop = this.#fetchLoop.run(this.#consumer)
  }

  /** Opens the group; a server that is away is waited for. */
  async #openConsumer(): Promise<GroupConsumer> {
    for (let failures = 0; ; failures++) {
      try {
        return await this.#host.openConsumer()
      } catch (error) {
        const away = error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE'
        if (!away || this.#closing !== undefined) throw error
        this.#host.onError(error)
        await this.#signal.waitWithin(storeRetryMs(failures))
      }
    }
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    this.#fetchLoop.stop()
    await this.ready.catch(() => {})
    if (this.#consumer === undefined) return
    this.#fetchLoop.stop()
    await this.#loop
    this.#queue.close()
    const cancelDrain = this.#host.clock.schedule(() => {
      this.#expired.abort(new EventBusError('CLOSED', 'the subscription was closed'))
      this.#signal.notify()
    }, drainTimeoutMs)
    while (this.#queue.running + this.#queue.settling > 0 && !this.#expired.signal.aborted) {
      await this.#signal.wait()
    }
    cancelDrain()
    await this.#claims.giveBack(this.#consumer)
    await this.#consumer.close()
  }

  /** How many events to claim now. */
  #wanted(): number {
    if (this.#paused) return 0
    const { concurrency, fetch } = this.#options
    const ahead = this.#keyOf === undefined ? this.#ahead.events : fetch.batchSize
    const room = concurrency + ahead - (this.#claims.size - this.#queue.settling)
    // Half of what waits here is enough to go on with: fewer and larger requests.
    if (this.#keyOf === undefined && room < ahead / 2) return 0
    // Half of the handlers: the store looks for events for the other half while these are handled.
    const most = Math.max(Math.ceil(concurrency / 2), ahead)
    return Math.min(room, this.#queue.allowed, fetch.batchSize, most)
  }

  #claimed(claims: readonly Claim[]): void {
    this.#claims.add(claims, this.#consumer!)
    if (this.#closing === undefined) this.#queue.add(claims)
  }

  #key(claim: Claim): string | undefined {
    try {
      return this.#keyOf?.(claim.event)
    } catch (error) {
      // An event without a key is better off handled out of order than not at all.
      this.#host.onError(error)
      return undefined
    }
  }

  /** Says that handlers start, and starts them; one whose claim was lost meanwhile is not started. */
  async #begin(claims: readonly Claim[]): Promise<void> {
    const startable = claims.filter((claim) => !this.#runner.isExhausted(claim))
    for (const claim of claims) if (this.#runner.isExhausted(claim)) void this.#handle(claim)
    if (startable.length === 0) return
    const answer = this.#tryBegin(startable)
    const begun = answer instanceof Promise ? await answer : answer
    if (this.#expired.signal.aborted) {
      this.#queue.running -= startable.length
      this.#goOn()
      return
    }
    for (const claim of startable) {
      if (begun.includes(claim)) void this.#handle(claim)
      else this.#lost(claim)
    }
  }

  #tryBegin(claims: readonly Claim[]): readonly Claim[] | Promise<readonly Claim[]> {
    try {
      const answer = this.#consumer!.begin(claims)
      return answer instanceof Promise
        ? answer.catch((error: unknown) => this.#beginLater(claims, error))
        : answer
    } catch (error) {
      return this.#beginLater(claims, error)
    }
  }

  async #beginLater(claims: readonly Claim[], failure: unknown): Promise<readonly Claim[]> {
    let error = failure
    for (let failures = 0; !this.#expired.signal.aborted; failures++) {
      this.#host.onError(error)
      await this.#settler.pause(storeRetryMs(failures))
      try {
        return await this.#consumer!.begin(claims)
      } catch (next) {
        error = next
      }
    }
    return []
  }

  #lost(claim: Claim): void {
    this.#queue.running -= 1
    this.#counts.lost += 1
    this.#host.onError(claimLost(this.group, claim.event))
    this.#finished(claim)
    this.#goOn()
  }

  async #handle(claim: Claim): Promise<void> {
    const { attempt } = claim
    const result = await this.#runner.run(claim)
    if (result.settlement.kind !== 'release') this.#ahead.ran(result.settlement.durationMs)
    this.#queue.running -= 1
    this.#queue.settling += 1
    this.#goOn()
    const settled = await this.#settler.settle(this.#consumer!, claim, result.settlement)
    this.#queue.settling -= 1
    if (settled.kind === 'lost') {
      // What a closing subscription could not wait for is given back.
      if (!this.#expired.signal.aborted) {
        this.#counts.lost += 1
        this.#finished(claim)
      }
    } else {
      const { settlement, emitted, refusal } = settled
      this.#report({ ...claim, attempt }, { settlement, thrown: refusal ?? result.thrown }, emitted)
      if (settlement.kind === 'retry' && settlement.inPlace) {
        this.#queue.retryAfter(claim, settlement.delayMs)
      } else this.#finished(claim)
    }
    this.#goOn()
  }

  /** Starts what may start now. Once for all that ended in this turn: a server counts their starts with one request. */
  #goOn(): void {
    if (this.#goingOn) return
    this.#goingOn = true
    queueMicrotask(() => {
      this.#goingOn = false
      if (this.#closing === undefined) this.#queue.start()
      this.#signal.notify()
    })
  }

  #finished(claim: Claim): void {
    this.#claims.delete(claim)
    this.#queue.finished(claim)
  }

  #report(claim: Claim, { settlement, thrown }: Attempt, emitted: PublishResult[]): void {
    if (settlement.kind === 'ack') {
      this.#counts.succeeded += 1
      this.#host.onDelivered(claim, this.group, settlement.durationMs, emitted)
      return
    }
    const error =
      thrown instanceof Error ? thrown : new Error(describeFailure(thrown).error.message)
    this.#counts.failed += 1
    if (settlement.kind === 'retry') {
      this.#counts.retried += 1
      this.#host.onFailed(claim, this.group, error, settlement.delayMs)
    } else {
      this.#counts.deadLettered += 1
      this.#host.onFailed(claim, this.group, error, undefined)
      this.#host.onDeadLettered(claim, this.group, error, emitted)
    }
  }
}
