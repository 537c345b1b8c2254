import { describe, expect, it } from 'vitest'
import { MiB, openSandbox } from './sandbox.js'

const sandbox = await openSandbox()

async function instanceOf(source: string) {
  const image = await sandbox.load(source)
  const instance = await sandbox.template.instantiate(image)
  return { image, instance }
}

describe('a rewound instance', () => {
  it('starts every call from the state right after the module ran', async () => {
    const { instance } = await instanceOf(`
      let calls = 0
      globalThis.seen = []
      export default () => { seen.push(++calls); Array.prototype.extra = calls; return [calls, seen.length] }`)
    for (let i = 0; i < 3; i++) {
      expect(sandbox.call(instance, null)).toEqual({ value: [1, 1] })
      instance.rewind()
    }
  })

  it('restores memory that was zero in the image but in use', async () => {
    const { instance } = await instanceOf(`
      const table = new Uint8Array(300_000)
      const words = new Float64Array(20_000)
      export default () => {
        const before = table.some((byte) => byte !== 0) || words.some((word) => word !== 0)
        table.fill(7)
        words.fill(1.5)
        return before
      }`)
    for (let i = 0; i < 3; i++) {
      expect(sandbox.call(instance, null)).toEqual({ value: false })
      instance.rewind()
    }
  })

  it('keeps the state without the rewind', async () => {
    const { instance } = await instanceOf('let calls = 0; export default () => ++calls')
    expect(sandbox.call(instance, null)).toEqual({ value: 1 })
    expect(sandbox.call(instance, null)).toEqual({ value: 2 })
  })

  it('does not grow over 400 calls that allocate more than the image holds free', async () => {
    const { instance } = await instanceOf(`
      export default () => { const a = []; for (let i = 0; i < 300; i++) a.push('x'.repeat(1000)); return a.length }`)
    const before = instance.memoryBytes
    for (let i = 0; i < 400; i++) {
      sandbox.call(instance, null)
      expect(instance.hasGrown).toBe(false)
      instance.rewind()
    }
    expect(instance.memoryBytes).toBe(before)
  })

  it('says that it has grown when a call needed more than its heap', async () => {
    const { instance } = await instanceOf('export default () => new Uint8Array(3e6).length')
    expect(sandbox.call(instance, null)).toEqual({ value: 3e6 })
    expect(instance.hasGrown).toBe(true)
  })

  it('runs the same call within a larger heap without growing', async () => {
    const large = await openSandbox(4 * MiB)
    const image = await large.load('export default () => new Uint8Array(3e6).length')
    const instance = await large.template.instantiate(image)
    for (let i = 0; i < 20; i++) {
      expect(large.call(instance, null)).toEqual({ value: 3e6 })
      expect(instance.hasGrown).toBe(false)
      instance.rewind()
    }
  })

  it('is ordinary again after deep recursion', async () => {
    const { instance } = await instanceOf(`
      const deep = (n) => n === 0 ? 0 : 1 + deep(n - 1)
      export default (n) => { try { return deep(n) } catch (error) { return error.name } }`)
    expect(sandbox.call(instance, 1e9)).toEqual({ value: 'RangeError' })
    instance.rewind()
    expect(sandbox.call(instance, 10)).toEqual({ value: 10 })
  })

  it('is ordinary again after it ran out of memory', async () => {
    const { instance } = await instanceOf(`
      export default (n) => { const a = []; for (let i = 0; i < n; i++) a.push({ i }); return a.length }`)
    expect(sandbox.call(instance, 1e9, { memory: 900_000, ms: 10_000 })).toEqual({ threw: true })
    expect(instance.hasGrown).toBe(false)
    instance.rewind()
    expect(sandbox.call(instance, 10)).toEqual({ value: 10 })
  })

  it('is ordinary again after its deadline interrupted it', async () => {
    const { instance } = await instanceOf('export default (n) => { while (n) {} return 1 }')
    expect(sandbox.call(instance, 1, { memory: 64 * MiB, ms: 5 })).toEqual({ threw: true })
    expect(instance.interrupted).toBe(true)
    instance.rewind()
    expect(sandbox.call(instance, 0)).toEqual({ value: 1 })
    expect(instance.interrupted).toBe(false)
  })
})

describe('what must differ from call to call', () => {
  it('draws other random numbers in each call', async () => {
    const { instance } = await instanceOf('export default () => Math.random()')
    const drawn = new Set<unknown>()
    for (let i = 0; i < 100; i++) {
      drawn.add(sandbox.call(instance, null).value)
      instance.rewind()
    }
    expect(drawn.size).toBe(100)
  })

  it('draws other random numbers in another instance of the same image', async () => {
    const { image, instance } = await instanceOf('export default () => Math.random()')
    const twin = await sandbox.template.instantiate(image)
    expect(sandbox.call(instance, null)).not.toEqual(sandbox.call(twin, null))
  })

  it('reads the clock of the host, and counts performance.now from the start of the call', async () => {
    const { instance } = await instanceOf('export default () => [Date.now(), performance.now()]')
    const before = Date.now()
    sandbox.call(instance, null)
    instance.rewind()
    const [now, elapsed] = sandbox.call(instance, null).value as [number, number]
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(Date.now())
    expect(elapsed).toBeGreaterThanOrEqual(0)
    expect(elapsed).toBeLessThan(Date.now() - before + 1000)
  })

  it('makes the same image of the same module twice', async () => {
    const source = 'export const at = performance.now(); export default () => at'
    const [first, second] = [await sandbox.load(source), await sandbox.load(source)]
    expect(first.byteLength).toBe(second.byteLength)
  })
})

describe('an image', () => {
  it('of a small handler is smaller than 24 KB', async () => {
    const image = await sandbox.load('export default (event) => ({ total: event.a + event.b })')
    expect(image.byteLength).toBeLessThan(24 * 1024)
  })

  it('leaves out the free heap', async () => {
    const { instance, image } = await instanceOf('export default () => 1')
    expect(instance.memoryBytes).toBeGreaterThan(2 * MiB)
    const base = image.base.reduce((sum, { bytes }) => sum + bytes.length, 0)
    expect(base).toBeLessThan(400 * 1024)
  })
})

describe('an instance that goes to another handler', () => {
  it('holds no byte of the one before', async () => {
    const secret = 'the-secret-of-handler-one-'
    const first = await sandbox.load(`
      const kept = '${secret}module'
      export default () => { const a = []; for (let i = 0; i < 500; i++) a.push('${secret}' + i); return kept + a.length }`)
    const second = await sandbox.load('export default () => 2')
    const instance = await sandbox.template.instantiate(first)
    sandbox.call(instance, null)
    expect(instance.memory().includes(secret)).toBe(true)
    instance.rewind()
    instance.bind(second)
    expect(instance.memory().includes(secret)).toBe(false)
    expect(sandbox.call(instance, null)).toEqual({ value: 2 })
  })

  it('is byte for byte what a new one is', async () => {
    const first = await sandbox.load('export default () => "x".repeat(1e5).length')
    const second = await sandbox.load('export default () => 2')
    const used = await sandbox.template.instantiate(first)
    sandbox.call(used, null)
    used.rewind()
    used.bind(second)
    const fresh = await sandbox.template.instantiate(second)
    expect(used.memory().equals(fresh.memory())).toBe(true)
  })
})

describe('reading values of the guest', () => {
  it('keeps every character of strings in both directions', async () => {
    const { instance } = await instanceOf('export default (text) => text')
    for (const text of [
      '',
      'plain',
      'é ü 漢字 😀',
      'nul \u0000 inside',
      '\ud800 lone',
      'x'.repeat(200_000),
    ]) {
      expect(sandbox.call(instance, text)).toEqual({ value: text })
      instance.rewind()
    }
  })

  it('gives no string that is longer than allowed, and one that is exactly as long', async () => {
    const { instance } = await instanceOf('export default () => 1')
    const ptr = instance.newString('ééé')
    expect(instance.readString(ptr, 5)).toBeUndefined()
    expect(instance.readString(ptr, 6)).toBe('ééé')
  })
})
