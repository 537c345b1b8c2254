import { InstancePool, QuickJSKind, type QuickJSUse } from '@nexus/instance-pool'
import { describe, expect, it } from 'vitest'
import { MiB, openSandbox } from './sandbox.js'

const sandbox = await openSandbox()
const image = await sandbox.load('let calls = 0; export default () => ++calls')
const NOWHERE = 0xffff_fff0

function poolFor(isolation: QuickJSUse['isolation']) {
  const use: QuickJSUse = { image, template: sandbox.template, isolation }
  return { use, pool: new InstancePool(new QuickJSKind(), { maxInstances: 1 }) }
}

describe.each(['pristine', 'shared'] as const)('an instance with %s isolation', (isolation) => {
  it('is discarded after an engine trap, whether or not its caller says so', async () => {
    for (const reason of [undefined, 'trap'] as const) {
      const { pool, use } = poolFor(isolation)
      const lease = await pool.acquire(use)
      lease.instance.begin(Number.POSITIVE_INFINITY, 64 * MiB, () => 0)
      expect(() => lease.instance.call(NOWHERE)).toThrow(WebAssembly.RuntimeError)
      expect(lease.instance.hasTrapped).toBe(true)
      pool.release(lease, reason)
      expect(pool.getStats()).toMatchObject({ available: 0, rewinds: 0, discards: { trap: 1 } })
      const next = await pool.acquire(use)
      expect(next.instance).not.toBe(lease.instance)
      expect(sandbox.call(next.instance, null)).toEqual({ value: 1 })
      pool.release(next)
      await pool.shutdown()
    }
  })

  it('is reused after a guest exception, which is no trap', async () => {
    const { pool, use } = poolFor(isolation)
    const lease = await pool.acquire(use)
    lease.instance.begin(Number.POSITIVE_INFINITY, 64 * MiB, () => 0)
    const result = lease.instance.call(sandbox.template.entries.run)
    expect(lease.instance.isException(result)).toBe(true)
    lease.instance.free(lease.instance.takeException())
    expect(lease.instance.hasTrapped).toBe(false)
    pool.release(lease)
    expect((await pool.acquire(use)).instance).toBe(lease.instance)
    expect(pool.getStats().discards.trap).toBe(0)
  })

  it('that trapped goes to no other use', async () => {
    const { use } = poolFor(isolation)
    const kind = new QuickJSKind()
    const instance = await kind.create(use)
    expect(kind.accepts(instance, use)).toBe(true)
    expect(() => instance.call(NOWHERE)).toThrow(WebAssembly.RuntimeError)
    expect(kind.accepts(instance, use)).toBe(false)
    instance.dispose()
  })
})

it.each([
  ['objects', '{}'],
  ['arrays', '[]'],
  ['functions', '() => 1'],
  ['texts', '"x".repeat(99) + kept.length'],
])('a guest that filled its memory with %s cannot catch its interruption', async (_what, value) => {
  const filling = await sandbox.load(`export default () => {
    let kept = []
    for (;;) {
      try { for (;;) kept = [kept, ${value}] } catch { try { for (;;) {} } catch {} }
    }
  }`)
  const instance = await sandbox.template.instantiate(filling)
  let ended: unknown
  try {
    ended = sandbox.call(instance, null, { memory: 4 * MiB, ms: 300 })
  } catch (error) {
    ended = error
    expect(instance.hasTrapped).toBe(true)
  }
  expect([{ threw: true }, new Error('The guest went on after its deadline')]).toContainEqual(ended)
  expect(instance.interrupted).toBe(true)
  instance.dispose()
})

describe('an instance that grew', () => {
  it('is discarded when it is pristine, and stays bound when its state is shared', async () => {
    const growing = await sandbox.load('export default () => new Uint8Array(3e6).length')
    for (const isolation of ['pristine', 'shared'] as const) {
      const use: QuickJSUse = { image: growing, template: sandbox.template, isolation }
      const kind = new QuickJSKind()
      const pool = new InstancePool(kind, { maxInstances: 1 })
      const lease = await pool.acquire(use)
      expect(sandbox.call(lease.instance, null)).toEqual({ value: 3e6 })
      expect(kind.accepts(lease.instance, { ...use })).toBe(false)
      pool.release(lease)
      expect(pool.getStats().discards.growth).toBe(isolation === 'pristine' ? 1 : 0)
    }
  })
})

it('a call starts with other random numbers, also the first after a rewind', async () => {
  const drawing = await sandbox.load('export default () => Math.random()')
  const instance = await sandbox.template.instantiate(drawing)
  const drawn = new Set<unknown>()
  for (let n = 0; n < 600; n++) {
    drawn.add(sandbox.call(instance, null).value)
    instance.rewind()
  }
  expect(drawn.size).toBe(600)
})
