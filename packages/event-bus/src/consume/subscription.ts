import type { Clock } from '../clock.js'
import { EventBusError } from '../errors.js'
import type { CloudEvent, EventInput } from '../event/cloud-event.js'
import { orderingKeyReader } from '../event/ordering-key.js'
import type { ResolvedSubscribeOptions } from '../options.js'
import type {
  AppendRequest,
  Claim,
  GroupConsumer,
  PublishResult,
  Settlement,
} from '../store/event-store.js'
import { describeFailure } from './delivery-error.js'
import { type Attempt, type EventHandler, HandlerRunner } from './handler-runner.js'
import { KeyGate } from './key-gate.js'
import { RateLimiter } from './rate-limiter.js'

/** What a subscription did since it was opened. */
export interface SubscriptionStats {
  group: string
  patterns: readonly string[]
  paused: boolean
  running: number
  /** Claimed, but behind another event of the same key. */
  waiting: number
  succeeded: number
  failed: number
  retried: number
  deadLettered: number
  limits: { concurrency: number; batchSize: number; maxPerSecond: number | null }
}

/** What a subscription needs of its bus. */
export interface SubscriptionHost {
  clock: Clock
  openConsumer(): Promise<GroupConsumer>
  encodeEmitted(input: EventInput, id: string, parent: CloudEvent): AppendRequest
  onDelivered(claim: Claim, group: string, durationMs: number, emitted: PublishResult[]): void
  onFailed(claim: Claim, group: string, error: Error, nextDelayMs: number | undefined): void
  onDeadLettered(claim: Claim, group: string, error: Error): void
  onClosed(subscription: Subscription): void
  onError(error: unknown): void
}

/** Wait before a store that failed so often in a row is asked again. */
function storeRetryMs(failures: number): number {
  return Math.min(5_000, 100 * 4 ** failures)
}

/** A consumer of a group: fetches events, runs the handler, settles. */
export class Subscription {
  readonly group: string
  readonly patterns: readonly string[]
  /** Settles when the group exists in the store, which is waited for: later events reach it. */
  readonly ready: Promise<void>
  readonly #options: ResolvedSubscribeOptions
  readonly #host: SubscriptionHost
  readonly #runner: HandlerRunner
  readonly #gate = new KeyGate()
  readonly #keyOf: ((event: CloudEvent) => string | undefined) | undefined
  readonly #limiter: RateLimiter | undefined
  readonly #held = new Set<Claim>()
  readonly #runnable: Claim[] = []
  /** Cancel the waits of kept claims. */
  readonly #retries = new Set<() => void>()
  readonly #expired = new AbortController()
  #cancelHeartbeat: (() => void) | undefined
  #cancelLimit: (() => void) | undefined
  #consumer: GroupConsumer | undefined
  #fetching: AbortController | undefined
  #paused = false
  #closing: Promise<void> | undefined
  #running = 0
  /** Handled, but not yet settled in the store. */
  #settling = 0
  #wake: (() => void) | undefined
  #loop: Promise<void> = Promise.resolve()
  readonly #counts = { succeeded: 0, failed: 0, retried: 0, deadLettered: 0 }

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
    if (options.orderingKey !== undefined) this.#keyOf = orderingKeyReader(options.orderingKey)
    if (options.maxPerSecond !== undefined) {
      this.#limiter = new RateLimiter(options.maxPerSecond, host.clock)
    }
    this.#runner = new HandlerRunner(handler, {
      group: options.group,
      retry: options.retry,
      keyOf: this.#keyOf && ((claim) => this.#key(claim)),
      signal: this.#expired.signal,
      encodeEmitted: (input, id, parent) => host.encodeEmitted(input, id, parent),
    })
    this.ready = this.#open()
    this.ready.catch((error: unknown) => host.onError(error))
  }

  /** Stops taking events; those that run go on. */
  pause(): void {
    this.#paused = true
    this.#fetching?.abort()
  }

  resume(): void {
    this.#paused = false
    this.#changed()
  }

  getStats(): SubscriptionStats {
    const { concurrency, batchSize, maxPerSecond } = this.#options
    return {
      group: this.group,
      patterns: this.patterns,
      paused: this.#paused,
      running: this.#running,
      waiting: this.#held.size - this.#running - this.#settling,
      ...this.#counts,
      limits: { concurrency, batchSize, maxPerSecond: maxPerSecond ?? null },
    }
  }

  /**
   * Takes no more events, waits for those that run, then gives the rest back. The group goes on existing.
   */
  close(options: { drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainTimeoutMs ?? 10_000).finally(() =>
      this.#host.onClosed(this),
    )
    return this.#closing
  }

  async #open(): Promise<void> {
    this.#consumer = await this.#openConsumer()
    this.#loop = this.#run(this.#consumer)
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
        await this.#changeWithin(storeRetryMs(failures))
      }
    }
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    this.#fetching?.abort()
    this.#changed()
    await this.ready.catch(() => {})
    if (this.#consumer === undefined) return
    this.#fetching?.abort()
    this.#changed()
    await this.#loop
    for (const cancel of this.#retries) cancel()
    this.#cancelLimit?.()
    this.#gate.clear()
    this.#runnable.length = 0
    const cancelDrain = this.#host.clock.schedule(() => {
      this.#expired.abort(new EventBusError('CLOSED', 'the subscription was closed'))
      this.#changed()
    }, drainTimeoutMs)
    while (this.#running + this.#settling > 0 && !this.#expired.signal.aborted) await this.#change()
    cancelDrain()
    this.#cancelHeartbeat?.()
    for (const cancel of this.#retries) cancel()
    await this.#giveBack()
    await this.#consumer.close()
  }

  async #run(consumer: GroupConsumer): Promise<void> {
    let failures = 0
    while (this.#closing === undefined) {
      const room = this.#room()
      if (room <= 0) {
        await this.#change()
        continue
      }
      this.#fetching = new AbortController()
      try {
        const wanted = Math.min(room, this.#options.batchSize, this.#claimAtOnce)
        const claims = await consumer.fetch(wanted, this.#fetching.signal)
        failures = 0
        for (const claim of claims) this.#held.add(claim)
        if (claims.length > 0) this.#heartbeat()
        for (const claim of claims) this.#admit(claim)
        this.#start()
        if (claims.length < wanted) await this.#letGather()
      } catch (error) {
        this.#host.onError(error)
        await this.#changeWithin(storeRetryMs(failures))
        failures += 1
      }
    }
  }

  /** Lets events gather, so that a trickle is claimed and settled in batches. */
  async #letGather(): Promise<void> {
    const { maxWaitMs } = this.#options
    if (maxWaitMs === 0 || this.#closing !== undefined) return
    let over = false
    const cancel = this.#host.clock.schedule(() => {
      over = true
      this.#changed()
    }, maxWaitMs)
    while (!over && this.#closing === undefined) await this.#change()
    cancel()
  }

  /** Half of what may be claimed: the store looks for the other half while this one is handled. */
  get #claimAtOnce(): number {
    return Math.ceil(this.#most / 2)
  }

  /** How many events may be claimed and not handled yet. */
  get #most(): number {
    const { concurrency, batchSize } = this.#options
    // With keys, some of what is claimed waits behind its key: claim ahead to keep every slot busy.
    return this.#keyOf === undefined ? concurrency : concurrency + batchSize
  }

  /** How many more events may be claimed now. */
  #room(): number {
    if (this.#paused) return 0
    const room = this.#most - (this.#held.size - this.#settling)
    if (this.#limiter === undefined || room <= 0) return room
    const allowed = this.#limiter.available() - this.#runnable.length
    if (allowed <= 0) this.#wakeAfterLimit(this.#limiter)
    return Math.min(room, allowed)
  }

  #admit(claim: Claim): void {
    const key = this.#key(claim)
    if (key === undefined || this.#gate.enter(key, claim)) this.#runnable.push(claim)
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

  /** As many settlements may be on their way as handlers run: what a crash repeats is bounded. */
  #mayStart(): boolean {
    const { concurrency } = this.#options
    return this.#running < concurrency && this.#running + this.#settling < 2 * concurrency
  }

  #start(): void {
    while (this.#runnable.length > 0 && this.#mayStart()) {
      if (this.#limiter !== undefined) {
        if (this.#limiter.available() === 0) {
          this.#wakeAfterLimit(this.#limiter)
          return
        }
        this.#limiter.take(1)
      }
      this.#running += 1
      void this.#handle(this.#runnable.shift()!)
    }
  }

  async #handle(claim: Claim): Promise<void> {
    const attempt = await this.#runner.run(claim)
    this.#running -= 1
    this.#settling += 1
    this.#goOn()
    const heldMs = await this.#conclude(claim, attempt)
    this.#settling -= 1
    if (heldMs === undefined) this.#finished(claim)
    else this.#retryAfter(claim, heldMs)
    this.#goOn()
  }

  #goOn(): void {
    if (this.#closing === undefined) this.#start()
    this.#changed()
  }

  #finished(claim: Claim): void {
    this.#held.delete(claim)
    const key = this.#key(claim)
    const next = key === undefined ? undefined : this.#gate.leave(key)
    if (next !== undefined) this.#runnable.push(next)
  }

  /** Tries a kept claim again: its key stays closed until then. */
  #retryAfter(claim: Claim, delayMs: number): void {
    const cancel = this.#host.clock.schedule(() => {
      this.#retries.delete(cancel)
      this.#runnable.push(claim)
      this.#start()
    }, delayMs)
    this.#retries.add(cancel)
  }

  /** Settles and tells; answers the wait when the claim is kept for another attempt. */
  async #conclude(claim: Claim, { settlement, thrown }: Attempt): Promise<number | undefined> {
    const emitted = await this.#settle(claim, settlement)
    if (emitted === undefined) return undefined
    this.#report(claim, settlement, emitted, thrown)
    return settlement.kind === 'retry' && settlement.hold ? settlement.delayMs : undefined
  }

  /** Settles, however long the store fails; undefined when the subscription had to give up. */
  async #settle(claim: Claim, settlement: Settlement): Promise<PublishResult[] | undefined> {
    for (let failures = 0; !this.#expired.signal.aborted; failures++) {
      try {
        return await this.#consumer!.settle(claim, settlement)
      } catch (error) {
        this.#host.onError(error)
        await this.#pauseFor(storeRetryMs(failures))
      }
    }
    return undefined
  }

  #report(claim: Claim, settlement: Settlement, emitted: PublishResult[], thrown: unknown): void {
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
      this.#host.onDeadLettered(claim, this.group, error)
    }
  }

  async #giveBack(): Promise<void> {
    for (const claim of [...this.#held].sort((a, b) => a.sequence - b.sequence)) {
      try {
        await this.#consumer!.settle(claim, { kind: 'release' })
      } catch (error) {
        this.#host.onError(error)
      }
    }
    this.#held.clear()
  }

  /** Keeps the claims while there are any; an idle subscription has no timer. */
  #heartbeat(): void {
    this.#cancelHeartbeat ??= this.#host.clock.schedule(() => {
      this.#cancelHeartbeat = undefined
      if (this.#held.size === 0) return
      this.#consumer!.extend([...this.#held])
      this.#heartbeat()
    }, this.#options.ackWaitMs / 3)
  }

  /** Goes on when the rate limit lets the next one through. */
  #wakeAfterLimit(limiter: RateLimiter): void {
    this.#cancelLimit ??= this.#host.clock.schedule(() => {
      this.#cancelLimit = undefined
      this.#start()
      this.#changed()
    }, limiter.waitMs())
  }

  async #pauseFor(ms: number): Promise<void> {
    const { signal } = this.#expired
    await new Promise<void>((resolve) => {
      const cancel = this.#host.clock.schedule(() => {
        signal.removeEventListener('abort', stop)
        resolve()
      }, ms)
      const stop = (): void => {
        cancel()
        resolve()
      }
      signal.addEventListener('abort', stop, { once: true })
    })
  }

  #changed(): void {
    this.#wake?.()
  }

  /** As `#change`, but no longer than this. */
  async #changeWithin(ms: number): Promise<void> {
    if (this.#closing !== undefined) return
    const cancel = this.#host.clock.schedule(() => this.#changed(), ms)
    await this.#change()
    cancel()
  }

  /** Resolves at the next change of what this subscription may do. */
  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }
}
