import { PoolError } from '../errors.js'
import {
  type InstancePoolOptions,
  type ResolvedInstancePoolOptions,
  resolveOptions,
} from '../options.js'
import type { DiscardReason, InstanceKind } from './instance-kind.js'
import type { Lease } from './lease.js'

/** A snapshot of a pool's state, its totals since it was made, and its limits. */
export interface InstancePoolStats {
  /** Instances leased to calls that run. */
  active: number
  /** Idle instances. */
  available: number
  /** Instances leased to calls that wait for something outside. */
  suspended: number
  /** Callers that wait for an instance. */
  waiting: number
  /** Bytes held by all live instances. */
  memoryBytes: number
  /** Total of instances made. */
  created: number
  /** Total of leases given. */
  acquired: number
  /** Resets to the pristine state that succeeded. */
  rewinds: number
  /** Idle instances handed from one use to another. */
  rebinds: number
  /** Total of instances thrown away, by reason. */
  discards: Record<DiscardReason, number>
  /** Callers refused with `POOL_EXHAUSTED`. */
  exhausted: number
  /** The options, with every default filled in. */
  limits: Omit<ResolvedInstancePoolOptions, 'clock'>
}

interface Idle<Instance> {
  instance: Instance
  uses: number
  since: number
}

interface ActiveLease<Instance> extends Lease<Instance> {
  readonly uses: number
}

interface Waiter<Instance, Use> {
  use: Use
  resolve(lease: Lease<Instance>): void
  reject(error: PoolError): void
  timer: unknown
}

/**
 * Keeps instances that are expensive to make and cheap to make pristine again.
 *
 * An instance is idle, active (leased to a call) or suspended (leased to a call that waits for
 * something outside). Waiting callers are served first come, first served.
 *
 * @example
 * ```ts
 * const pool = new InstancePool(new QuickJSKind(), { maxInstances: 8 })
 * const use: QuickJSUse = { template, image: template.baseImage, isolation: 'pristine' }
 * const lease = await pool.acquire(use)
 * try {
 *   lease.instance.begin(performance.now() + 1000, 32 * 1024 * 1024, () => 0)
 *   // … lease.instance.call(template.entries.run)
 * } finally {
 *   pool.release(lease) // rewinds it for the next call
 * }
 * await pool.shutdown()
 * ```
 */
export class InstancePool<Instance, Use = void> {
  readonly #kind: InstanceKind<Instance, Use>
  #options: ResolvedInstancePoolOptions
  /** Least recently used first. */
  readonly #idle: Idle<Instance>[] = []
  readonly #active = new Set<ActiveLease<Instance>>()
  readonly #suspended = new Map<string, ActiveLease<Instance>>()
  readonly #waiters: Waiter<Instance, Use>[] = []
  #creating = 0
  #generation = 0
  #trimTimer: unknown
  #closed: { done: Promise<void>; resolve(): void } | undefined
  #created = 0
  #acquired = 0
  #rewinds = 0
  #rebinds = 0
  #exhausted = 0
  readonly #discards: Record<DiscardReason, number> = {
    trap: 0,
    growth: 0,
    'engine-error': 0,
    recycled: 0,
    idle: 0,
    evicted: 0,
    shutdown: 0,
  }

  /** @throws {@link PoolError} `INVALID_OPTIONS` */
  constructor(kind: InstanceKind<Instance, Use>, options: InstancePoolOptions = {}) {
    this.#kind = kind
    this.#options = resolveOptions(options)
  }

  /**
   * Creates instances for `use` until `minInstances` are alive.
   *
   * @throws {@link PoolError} `POOL_CLOSED`; what `create` of the kind throws
   */
  async prewarm(use: Use): Promise<void> {
    this.#assertOpen()
    const missing = this.#options.minInstances - this.#liveCount()
    await Promise.all(
      Array.from({ length: Math.max(0, missing) }, async () => {
        const instance = await this.#create(use)
        if (this.#closed) this.#dispose(instance, 'shutdown')
        else this.#park(instance, 0)
        this.#serveWaiters()
      }),
    )
  }

  /**
   * An idle instance at once, or `undefined` when none fits: the way in that costs no promise.
   * Callers that already wait come first.
   */
  tryAcquire(use: Use): Lease<Instance> | undefined {
    this.#assertOpen()
    return this.#waiters.length > 0 ? undefined : this.#takeIdle(use, true)
  }

  /**
   * An instance for `use`: an idle one, a new one, or the next that is released.
   *
   * @throws {@link PoolError} `POOL_EXHAUSTED` when `maxWaiting` callers wait already or none came
   *   free within `timeoutMs`; `POOL_CLOSED`; `INSTANCE_FAILED` when a new one could not be made
   */
  async acquire(
    use: Use,
    timeoutMs: number = this.#options.acquireTimeoutMs,
  ): Promise<Lease<Instance>> {
    const idle = this.tryAcquire(use)
    if (idle) return idle
    if (this.#waiters.length >= this.#options.maxWaiting) {
      throw this.#exhaust(
        `${this.#waiters.length} callers already wait for one of ${this.#options.maxInstances} instances; raise maxInstances or maxWaiting, or send less at once`,
      )
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter<Instance, Use> = { use, resolve, reject, timer: undefined }
      waiter.timer = this.#options.clock.setTimeout(
        () => this.#giveUp(waiter, timeoutMs),
        timeoutMs,
        true,
      )
      this.#waiters.push(waiter)
      this.#serveWaiters()
    })
  }

  /**
   * Gives a leased instance back. It is made pristine here, so that the next call does not wait.
   *
   * @param discard why the instance must not be used again
   */
  release(lease: Lease<Instance>, discard?: DiscardReason): void {
    const held = lease as ActiveLease<Instance>
    if (!this.#active.delete(held)) return
    const reason =
      discard ?? (held.uses >= this.#options.maxUses ? 'recycled' : this.#reset(held.instance))
    if (this.#closed) this.#dispose(held.instance, reason ?? 'shutdown')
    else if (reason) this.#dispose(held.instance, reason)
    else this.#park(held.instance, held.uses)
    this.#evictSurplus()
    this.#serveWaiters()
    this.#settleShutdown()
  }

  /**
   * Sets a lease aside while its call waits for something outside; the instance stays its own.
   *
   * @returns the id to {@link resume} it by
   * @throws {@link PoolError} `INSTANCE_FAILED` when the lease is not active
   */
  suspend(lease: Lease<Instance>): string {
    const held = lease as ActiveLease<Instance>
    if (!this.#active.delete(held)) {
      throw new PoolError('INSTANCE_FAILED', 'Only an active lease can be suspended')
    }
    const id = String(held.generation)
    this.#suspended.set(id, held)
    return id
  }

  /** The lease that was suspended under this id, or `undefined`. */
  getSuspended(id: string): Lease<Instance> | undefined {
    return this.#suspended.get(id)
  }

  /** Makes a suspended lease active again; `undefined` when there is none of this id. */
  resume(id: string): Lease<Instance> | undefined {
    const held = this.#suspended.get(id)
    if (!held) return undefined
    this.#suspended.delete(id)
    this.#active.add(held)
    return held
  }

  /**
   * Changes how many instances may be alive. With more room, waiting callers are served; with less, idle instances
   * are disposed, and leased ones once they are back.
   *
   * @throws {@link PoolError} `INVALID_OPTIONS`
   */
  resize(maxInstances: number): void {
    const { clock, ...numbers } = this.#options
    this.#options = resolveOptions({ ...numbers, clock, maxInstances })
    this.#evictSurplus()
    this.#serveWaiters()
  }

  /** Instances leased to calls that run. */
  activeCount(): number {
    return this.#active.size
  }

  /** Idle instances. */
  availableCount(): number {
    return this.#idle.length
  }

  /** Instances leased to calls that wait for something outside. */
  suspendedCount(): number {
    return this.#suspended.size
  }

  /** Bytes that all live instances hold. */
  totalMemory(): number {
    let bytes = 0
    for (const { instance } of this.#idle) bytes += this.#kind.memoryBytes(instance)
    for (const { instance } of this.#active) bytes += this.#kind.memoryBytes(instance)
    for (const { instance } of this.#suspended.values()) bytes += this.#kind.memoryBytes(instance)
    return bytes
  }

  /** Counts, totals and limits, read now. */
  getStats(): InstancePoolStats {
    const { clock: _, ...limits } = this.#options
    return {
      active: this.#active.size,
      available: this.#idle.length,
      suspended: this.#suspended.size,
      waiting: this.#waiters.length,
      memoryBytes: this.totalMemory(),
      created: this.#created,
      acquired: this.#acquired,
      rewinds: this.#rewinds,
      rebinds: this.#rebinds,
      discards: { ...this.#discards },
      exhausted: this.#exhausted,
      limits,
    }
  }

  /** Refuses new callers, disposes idle instances, and resolves when the last lease is back. */
  async shutdown(): Promise<void> {
    if (!this.#closed) {
      let resolve!: () => void
      const done = new Promise<void>((settle) => {
        resolve = settle
      })
      this.#closed = { done, resolve }
      this.#options.clock.clearTimeout(this.#trimTimer)
      for (const waiter of this.#waiters.splice(0)) {
        this.#options.clock.clearTimeout(waiter.timer)
        waiter.reject(new PoolError('POOL_CLOSED', 'The pool was shut down while this call waited'))
      }
      for (const { instance } of this.#idle.splice(0)) this.#dispose(instance, 'shutdown')
      this.#settleShutdown()
    }
    return this.#closed.done
  }

  /** {@link shutdown}, by the name that other classes have it under. */
  close(): Promise<void> {
    return this.shutdown()
  }

  /** See {@link shutdown}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  #liveCount(): number {
    return this.#idle.length + this.#active.size + this.#suspended.size + this.#creating
  }

  #assertOpen(): void {
    if (this.#closed) throw new PoolError('POOL_CLOSED', 'The pool is shut down')
  }

  #takeIdle(use: Use, mayRebind: boolean): Lease<Instance> | undefined {
    const kind = this.#kind
    let accepted = -1
    let isUnused = false
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      const { instance, uses } = this.#idle[i]!
      if (kind.isBoundTo(instance, use)) return this.#lease(this.#unpark(i))
      // The last match of this walk is the least recently used; one that no use comes back to is taken first.
      const isFree = uses === 0 || kind.isFree?.(instance) === true
      if (!kind.accepts(instance, use) || (isUnused && !isFree)) continue
      accepted = i
      isUnused = isFree
    }
    // While there is room, a new instance beats taking a warm one away from another use.
    const hasRoom = this.#liveCount() < this.#options.maxInstances
    if (accepted === -1 || (hasRoom && !isUnused) || !mayRebind) return undefined
    const idle = this.#unpark(accepted)
    kind.bind(idle.instance, use)
    this.#rebinds++
    return this.#lease(idle)
  }

  #unpark(index: number): Idle<Instance> {
    const idle = this.#idle[index]!
    if (index === this.#idle.length - 1) this.#idle.pop()
    else this.#idle.splice(index, 1)
    return idle
  }

  #lease(idle: { instance: Instance; uses: number }): Lease<Instance> {
    const lease: ActiveLease<Instance> = {
      instance: idle.instance,
      generation: ++this.#generation,
      uses: idle.uses + 1,
    }
    this.#active.add(lease)
    this.#acquired++
    return lease
  }

  #serveWaiters(): void {
    while (this.#waiters.length > 0 && !this.#closed) {
      const waiter = this.#waiters[0]!
      const isComing = this.#creating >= this.#waiters.length
      const lease = this.#takeIdle(waiter.use, !isComing)
      if (lease) {
        this.#waiters.shift()
        this.#options.clock.clearTimeout(waiter.timer)
        waiter.resolve(lease)
        continue
      }
      if (isComing) return
      if (this.#liveCount() >= this.#options.maxInstances && !this.#evictIdle()) return
      this.#createFor(waiter.use)
    }
  }

  /** After the pool was made smaller. */
  #evictSurplus(): void {
    while (this.#liveCount() > this.#options.maxInstances && this.#evictIdle());
  }

  #evictIdle(): boolean {
    const oldest = this.#idle.shift()
    if (!oldest) return false
    this.#dispose(oldest.instance, 'evicted')
    return true
  }

  async #createFor(use: Use): Promise<void> {
    try {
      const instance = await this.#create(use)
      if (this.#closed) this.#dispose(instance, 'shutdown')
      else this.#park(instance, 0)
    } catch (cause) {
      const waiter = this.#waiters.shift()
      if (waiter) {
        this.#options.clock.clearTimeout(waiter.timer)
        waiter.reject(
          new PoolError('INSTANCE_FAILED', 'A new instance could not be made', { cause }),
        )
      }
    }
    this.#serveWaiters()
    this.#settleShutdown()
  }

  async #create(use: Use): Promise<Instance> {
    this.#creating++
    try {
      const instance = await this.#kind.create(use)
      this.#created++
      return instance
    } finally {
      this.#creating--
    }
  }

  #reset(instance: Instance): DiscardReason | undefined {
    try {
      const reason = this.#kind.reset(instance)
      if (!reason) this.#rewinds++
      return reason
    } catch {
      return 'engine-error'
    }
  }

  #park(instance: Instance, uses: number): void {
    this.#idle.push({ instance, uses, since: this.#options.clock.now() })
    if (this.#trimTimer === undefined) this.#scheduleTrim(this.#options.idleTimeoutMs)
  }

  #scheduleTrim(delayMs: number): void {
    this.#trimTimer = this.#options.clock.setTimeout(() => this.#trim(), delayMs, false)
  }

  #trim(): void {
    this.#trimTimer = undefined
    const { clock, idleTimeoutMs, minInstances } = this.#options
    const expired = clock.now() - idleTimeoutMs
    while (this.#liveCount() > minInstances && (this.#idle[0]?.since ?? Infinity) <= expired) {
      this.#dispose(this.#idle.shift()!.instance, 'idle')
    }
    if (this.#idle.length > 0 && this.#liveCount() > minInstances) {
      this.#scheduleTrim(Math.max(1, this.#idle[0]!.since - expired))
    }
  }

  #dispose(instance: Instance, reason: DiscardReason): void {
    this.#discards[reason]++
    this.#options.logger.debug({ reason }, 'an instance is discarded')
    this.#kind.dispose(instance)
  }

  #giveUp(waiter: Waiter<Instance, Use>, timeoutMs: number): void {
    const index = this.#waiters.indexOf(waiter)
    if (index === -1) return
    this.#waiters.splice(index, 1)
    waiter.reject(
      this.#exhaust(
        `None of ${this.#options.maxInstances} instances came free within ${timeoutMs} ms; raise maxInstances or acquireTimeoutMs, or send less at once`,
      ),
    )
  }

  #exhaust(reason: string): PoolError {
    this.#exhausted++
    this.#options.logger.warn({ reason }, 'a caller gets no instance')
    return new PoolError('POOL_EXHAUSTED', reason)
  }

  #settleShutdown(): void {
    if (this.#closed && this.#active.size + this.#suspended.size + this.#creating === 0) {
      this.#closed.resolve()
    }
  }
}
