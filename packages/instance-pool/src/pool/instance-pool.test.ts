import { RecordingLogger } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import type { InstancePoolOptions, PoolClock } from '../options.js'
import type { DiscardReason, InstanceKind } from './instance-kind.js'
import { InstancePool } from './instance-pool.js'

interface Thing {
  readonly id: number
  boundTo: string
  state: 'pristine' | 'used' | 'disposed'
  grown?: boolean
}

class ThingKind implements InstanceKind<Thing, string> {
  made: Thing[] = []
  failNext = false

  async create(use: string): Promise<Thing> {
    if (this.failNext) {
      this.failNext = false
      throw new Error('no memory')
    }
    const thing: Thing = { id: this.made.length + 1, boundTo: use, state: 'pristine' }
    this.made.push(thing)
    return thing
  }
  accepts(_thing: Thing, use: string): boolean {
    return !use.startsWith('large')
  }
  isBoundTo(thing: Thing, use: string): boolean {
    return thing.boundTo === use
  }
  bind(thing: Thing, use: string): void {
    thing.boundTo = use
    thing.state = 'pristine'
  }
  reset(thing: Thing): DiscardReason | undefined {
    if (thing.grown) return 'growth'
    thing.state = 'pristine'
    return undefined
  }
  memoryBytes(): number {
    return 100
  }
  dispose(thing: Thing): void {
    thing.state = 'disposed'
  }
}

class FakeClock implements PoolClock {
  #now = 0
  #timers = new Map<number, { at: number; callback: () => void }>()
  #lastId = 0

  now(): number {
    return this.#now
  }
  setTimeout(callback: () => void, delayMs: number): number {
    this.#timers.set(++this.#lastId, { at: this.#now + delayMs, callback })
    return this.#lastId
  }
  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number)
  }
  get pendingTimers(): number {
    return this.#timers.size
  }
  advance(ms: number): void {
    this.#now += ms
    for (const [id, { at, callback }] of [...this.#timers]) {
      if (at <= this.#now && this.#timers.delete(id)) callback()
    }
  }
}

function poolOf(options: InstancePoolOptions = {}) {
  const kind = new ThingKind()
  const clock = new FakeClock()
  return { kind, clock, pool: new InstancePool(kind, { clock, ...options }) }
}

describe('acquiring', () => {
  it('makes an instance when none is idle and reuses it afterwards', async () => {
    const { pool, kind } = poolOf()
    const first = await pool.acquire('a')
    expect(pool.activeCount()).toBe(1)
    pool.release(first)
    const second = await pool.acquire('a')
    expect(second.instance).toBe(first.instance)
    expect(kind.made).toHaveLength(1)
  })

  it('gives every lease a generation of its own', async () => {
    const { pool } = poolOf()
    const first = await pool.acquire('a')
    pool.release(first)
    expect((await pool.acquire('a')).generation).toBeGreaterThan(first.generation)
  })

  it('makes a second instance rather than taking a warm one from another use', async () => {
    const { pool, kind } = poolOf({ maxInstances: 2 })
    pool.release(await pool.acquire('a'))
    const other = await pool.acquire('b')
    expect(other.instance.boundTo).toBe('b')
    expect(kind.made.map(({ boundTo }) => boundTo)).toEqual(['a', 'b'])
  })

  it('rebinds the least recently used idle instance once it is full', async () => {
    const { pool, kind } = poolOf({ maxInstances: 2 })
    const a = await pool.acquire('a')
    const b = await pool.acquire('b')
    pool.release(b)
    pool.release(a)
    const c = await pool.acquire('c')
    expect(c.instance).toBe(b.instance)
    expect(c.instance.boundTo).toBe('c')
    expect(kind.made).toHaveLength(2)
    expect(pool.getStats().rebinds).toBe(1)
  })

  it('replaces an idle instance that cannot serve the use', async () => {
    const { pool, kind } = poolOf({ maxInstances: 1 })
    pool.release(await pool.acquire('a'))
    const large = await pool.acquire('large')
    expect(large.instance.boundTo).toBe('large')
    expect(kind.made[0]?.state).toBe('disposed')
    expect(pool.getStats().discards.evicted).toBe(1)
  })

  it('serves waiting callers first come, first served', async () => {
    const { pool } = poolOf({ maxInstances: 1 })
    const held = await pool.acquire('a')
    const order: number[] = []
    const waiting = [1, 2, 3].map((n) =>
      pool.acquire('a').then((lease) => {
        order.push(n)
        pool.release(lease)
      }),
    )
    expect(pool.getStats().waiting).toBe(3)
    pool.release(held)
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
  })

  it('lets no one past those who wait', async () => {
    const { pool } = poolOf({ maxInstances: 1 })
    const held = await pool.acquire('a')
    const waiting = pool.acquire('a')
    pool.release(held)
    expect(pool.tryAcquire('a')).toBeUndefined()
    pool.release(await waiting)
    expect(pool.tryAcquire('a')).toBeDefined()
  })

  it('tells the waiting caller when an instance cannot be made, and recovers', async () => {
    const { pool, kind } = poolOf()
    kind.failNext = true
    await expect(pool.acquire('a')).rejects.toMatchObject({ code: 'INSTANCE_FAILED' })
    await expect(pool.acquire('a')).resolves.toBeDefined()
  })
})

describe('limits', () => {
  it('refuses exactly the caller after maxWaiting', async () => {
    const { pool } = poolOf({ maxInstances: 1, maxWaiting: 2 })
    const held = await pool.acquire('a')
    const waiting = [pool.acquire('a'), pool.acquire('a')]
    await expect(pool.acquire('a')).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' })
    expect(pool.getStats().exhausted).toBe(1)
    pool.release(held)
    for (const lease of waiting) pool.release(await lease)
  })

  it('gives up on a caller at its deadline and not before', async () => {
    const { pool, clock } = poolOf({ maxInstances: 1, acquireTimeoutMs: 100 })
    const held = await pool.acquire('a')
    const waiting = pool.acquire('a')
    const settled: string[] = []
    waiting.catch(() => settled.push('gave up'))
    clock.advance(99)
    await Promise.resolve()
    expect(settled).toEqual([])
    clock.advance(1)
    await expect(waiting).rejects.toThrow('None of 1 instances came free within 100 ms')
    pool.release(held)
    expect(pool.availableCount()).toBe(1)
  })

  it('replaces an instance after maxUses uses', async () => {
    const { pool, kind } = poolOf({ maxUses: 2 })
    pool.release(await pool.acquire('a'))
    expect(kind.made[0]?.state).toBe('pristine')
    pool.release(await pool.acquire('a'))
    expect(kind.made[0]?.state).toBe('disposed')
    expect(pool.getStats().discards.recycled).toBe(1)
  })

  it('discards what its holder says is broken, and what has grown', async () => {
    const { pool, kind } = poolOf()
    pool.release(await pool.acquire('a'), 'trap')
    const grown = await pool.acquire('a')
    grown.instance.grown = true
    pool.release(grown)
    expect(kind.made.map(({ state }) => state)).toEqual(['disposed', 'disposed'])
    expect(pool.getStats().discards).toMatchObject({ trap: 1, growth: 1 })
  })

  it('logs why an instance was discarded, and that a caller gets none', async () => {
    const logger = new RecordingLogger()
    const { pool, clock } = poolOf({ maxInstances: 1, maxWaiting: 1, acquireTimeoutMs: 10, logger })
    const held = await pool.acquire('a')
    const late = pool.acquire('a')
    await expect(pool.acquire('a')).rejects.toThrow('already wait')
    clock.advance(10)
    await expect(late).rejects.toThrow('came free')
    pool.release(held, 'trap')
    expect(logger.entries).toMatchObject([
      { level: 'warn', message: 'a caller gets no instance' },
      { level: 'warn', message: 'a caller gets no instance' },
      { level: 'debug', message: 'an instance is discarded', fields: { reason: 'trap' } },
    ])
  })

  it('says which option is wrong', () => {
    expect(() => poolOf({ maxInstances: 0 })).toThrow(/maxInstances/)
    expect(() => poolOf({ minInstances: 2, maxInstances: 1 })).toThrow(/at most maxInstances/)
    expect(() => poolOf({ maxInstance: 3 } as InstancePoolOptions)).toThrow(/maxInstance/)
  })
})

describe('idle instances', () => {
  it('are disposed after idleTimeoutMs, down to minInstances', async () => {
    const { pool, clock } = poolOf({ minInstances: 1, idleTimeoutMs: 1000 })
    const leases = [await pool.acquire('a'), await pool.acquire('a'), await pool.acquire('a')]
    for (const lease of leases) pool.release(lease)
    clock.advance(999)
    expect(pool.availableCount()).toBe(3)
    clock.advance(1)
    expect(pool.availableCount()).toBe(1)
    expect(pool.getStats().discards.idle).toBe(2)
  })

  it('leave no timer behind once all are gone', async () => {
    const { pool, clock } = poolOf({ idleTimeoutMs: 1000 })
    pool.release(await pool.acquire('a'))
    clock.advance(1000)
    expect(pool.availableCount()).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  it('are made ahead by prewarm', async () => {
    const { pool } = poolOf({ minInstances: 3 })
    await pool.prewarm('a')
    expect(pool.availableCount()).toBe(3)
    expect(pool.totalMemory()).toBe(300)
    expect(pool.tryAcquire('a')).toBeDefined()
  })
})

describe('suspending', () => {
  it('sets a lease aside under an id until it is resumed', async () => {
    const { pool } = poolOf({ maxInstances: 1 })
    const lease = await pool.acquire('a')
    const id = pool.suspend(lease)
    expect(pool.getStats()).toMatchObject({ active: 0, suspended: 1, available: 0 })
    expect(pool.getSuspended(id)).toBe(lease)
    expect(pool.resume(id)).toBe(lease)
    expect(pool.getSuspended(id)).toBeUndefined()
    pool.release(lease)
    expect(pool.availableCount()).toBe(1)
  })

  it('keeps the place of a suspended instance taken', async () => {
    const { pool, clock } = poolOf({ maxInstances: 1, acquireTimeoutMs: 10 })
    pool.suspend(await pool.acquire('a'))
    const waiting = pool.acquire('a')
    clock.advance(10)
    await expect(waiting).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' })
  })

  it('knows no lease under another id', () => {
    const { pool } = poolOf()
    expect(pool.resume('7')).toBeUndefined()
  })
})

describe('releasing', () => {
  it('takes the same lease only once', async () => {
    const { pool } = poolOf()
    const lease = await pool.acquire('a')
    pool.release(lease)
    pool.release(lease)
    expect(pool.availableCount()).toBe(1)
  })
})

describe('shutting down', () => {
  it('refuses new callers and those who wait, and resolves when the last lease is back', async () => {
    const { pool, kind, clock } = poolOf({ maxInstances: 2 })
    const held = await pool.acquire('a')
    const suspended = await pool.acquire('a')
    const id = pool.suspend(suspended)
    const waiting = pool.acquire('a')
    waiting.catch(() => {})
    let done = false
    const closing = pool.shutdown().then(() => {
      done = true
    })
    await expect(waiting).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    await expect(pool.acquire('a')).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    expect(done).toBe(false)
    pool.release(held)
    pool.release(pool.resume(id)!)
    await closing
    expect(kind.made.every(({ state }) => state === 'disposed')).toBe(true)
    expect(clock.pendingTimers).toBe(0)
  })
})

it.each(['close', 'shutdown', Symbol.asyncDispose] as const)('%s ends a pool', async (method) => {
  const { pool } = poolOf({})
  await pool[method]()
  await expect(pool.acquire('a')).rejects.toMatchObject({ code: 'POOL_CLOSED' })
})

describe('a pool that is resized', () => {
  it('serves callers who wait once there is room', async () => {
    const pool = new InstancePool(new ThingKind(), { maxInstances: 1 })
    const first = await pool.acquire('a')
    const second = pool.acquire('b')
    expect(pool.getStats().waiting).toBe(1)
    pool.resize(2)
    const lease = await second
    expect(lease.instance).not.toBe(first.instance)
    expect(pool.getStats()).toMatchObject({ active: 2, waiting: 0, limits: { maxInstances: 2 } })
  })

  it('made smaller, gives up idle instances at once and leased ones when they are back', async () => {
    const pool = new InstancePool(new ThingKind(), { maxInstances: 3 })
    const leases = [await pool.acquire('a'), await pool.acquire('b'), await pool.acquire('c')]
    pool.release(leases[0]!)
    pool.resize(1)
    expect(pool.getStats()).toMatchObject({ active: 2, available: 0 })
    for (const lease of leases.slice(1)) pool.release(lease)
    expect(pool.getStats()).toMatchObject({ active: 0, available: 1, discards: { evicted: 2 } })
    expect(() => pool.resize(0)).toThrow('maxInstances')
  })
})
