import { brotliCompressSync, constants } from 'node:zlib'
import {
  type GuestPtr,
  type QuickJSInstance,
  QuickJSKind,
  QuickJSTemplate,
} from '@nexus/instance-pool'
import { expect, it } from 'vitest'

const prelude = `() => ({
  ended: (promise) => promise.then(({ value }) => JSON.stringify(value) ?? '', (error) => '!' + error),
})`
const template = await QuickJSTemplate.create({
  prelude,
  entries: ['ended'] as const,
  heapBytes: 1024 * 1024,
  maxStackBytes: 256 * 1024,
  webExtensions: true,
})
const { baseImage } = template

function evaluate(instance: QuickJSInstance, source: string, elapsedMs = 0): string | undefined {
  instance.begin(Number.POSITIVE_INFINITY, 64 * 1024 * 1024, () => 0, elapsedMs)
  const evaluated = instance.evalScript(source, '<input>')
  if (instance.isException(evaluated)) throw new Error('exception')
  const promise = instance.call(template.entries.ended, evaluated)
  instance.drainJobs()
  const text = instance.promiseResult(promise)
  const result = instance.readString(text)
  for (const ptr of [evaluated, promise, text]) instance.free(ptr as GuestPtr)
  instance.end()
  return result
}

/** Evaluates each script in an instance of its own. */
async function inTurn(...scripts: string[]): Promise<(string | undefined)[]> {
  let image = baseImage
  const results = []
  for (const script of scripts) {
    const instance = await template.instantiate(image)
    results.push(evaluate(instance, script))
    image = template.thaw(template.freeze(instance, baseImage), baseImage)
    instance.dispose()
  }
  return results
}

it('goes on in another instance where it was frozen', async () => {
  expect(
    await inTurn(
      `let n = 1; const add = (() => { let own = 40; return (m) => (own += m) })();
       class P { #x = 5; get x() { return this.#x } }; const p = new P();
       const map = new Map([[p, new Set([1, 2])]]); function* g() { yield 1; yield 2 }
       const it = g(); it.next(); const re = /(?<y>\\d+)/g; re.exec('a1 b2'); let weak = new WeakMap([[p, 'w']]); n`,
      'add(n)',
      '[add(1), p.x, [...map.get(p)], it.next().value, re.lastIndex, weak.get(p)]',
    ),
  ).toEqual(['1', '41', '[42,5,[1,2],2,2,"w"]'])
})

it('goes on with the memory it has grown to', async () => {
  expect(
    await inTurn(
      `const big = Array.from({ length: 300_000 }, (_, n) => ({ n })); big.length`,
      'big.push(1); big.map(({ n }) => n).filter(Boolean).length',
      'big.length',
    ),
  ).toEqual(['300000', '299999', '300001'])
})

it('is small, and does not grow with what was freed', async () => {
  const instance = await template.instantiate()
  evaluate(instance, 'let n = 0; function f(m) { return m + n }')
  const small = template.freeze(instance, baseImage).difference
  const packed = brotliCompressSync(small, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
  expect(packed.length).toBeLessThan(8 * 1024)
  const text = JSON.stringify(Array.from({ length: 5000 }, (_, n) => ({ n, text: `text ${n}` })))
  evaluate(instance, `n = JSON.parse(${JSON.stringify(text)}).length`)
  const after = template.freeze(instance, baseImage).difference
  expect(after.length).toBeLessThan(small.length + 64 * 1024)
})

it('does not grow over many rounds', async () => {
  const sizes: number[] = []
  let image = baseImage
  const instance = await template.instantiate(image)
  for (let round = 0; round < 100; round++) {
    instance.bind(image)
    evaluate(instance, 'globalThis.n = (globalThis.n ?? 0) + 1')
    const frozen = template.freeze(instance, baseImage)
    sizes.push(frozen.difference.length)
    image = template.thaw(frozen, baseImage)
  }
  expect(evaluate(instance, 'n')).toBe('100')
  expect(sizes.at(-1)).toBeLessThan(sizes[5]! + 256)
})

it('draws other numbers, and its clock goes on', async () => {
  const [first, ...again] = await inTurn('Math.random()', 'Math.random()', 'Math.random()')
  expect(new Set([first, ...again]).size).toBe(3)
  const instance = await template.instantiate()
  expect(Number(evaluate(instance, 'performance.now()', 5000))).toBeGreaterThanOrEqual(5000)
})

it('says by its identity whether images can be thawed on it', async () => {
  const options = {
    prelude,
    entries: ['ended'] as const,
    heapBytes: 1024 * 1024,
    maxStackBytes: 256 * 1024,
    webExtensions: true,
  }
  const same = await QuickJSTemplate.create(options)
  expect(same.identity).toBe(template.identity)
  const others = [
    { ...options, prelude: `${prelude} ` },
    { ...options, prelude: prelude.replace('!', '?') },
    { ...options, maxStackBytes: 128 * 1024 },
    { ...options, heapBytes: 2 * 1024 * 1024 },
    { ...options, webExtensions: false },
  ]
  const identities = await Promise.all(
    others.map(async (other) => (await QuickJSTemplate.create(other)).identity),
  )
  // White space is not in the bytecode of a prelude.
  expect(identities.map((identity) => identity === template.identity)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})

it('refuses a memory that is damaged, at whatever place', async () => {
  const instance = await template.instantiate()
  evaluate(instance, 'let a = [1, 2, 3]')
  const { memoryBytes, difference } = template.freeze(instance, baseImage)
  const refused = { code: 'IMAGE_REFUSED' }
  const thaw =
    (bytes: Uint8Array, size = memoryBytes) =>
    () =>
      template.thaw({ memoryBytes: size, difference: bytes }, baseImage)
  expect(thaw(difference)).not.toThrow()
  expect(thaw(new Uint8Array())).toThrow(expect.objectContaining(refused))
  expect(thaw(difference.subarray(0, -1))).toThrow(expect.objectContaining(refused))
  expect(thaw(Buffer.concat([difference, Buffer.alloc(1)]))).toThrow(
    expect.objectContaining(refused),
  )
  for (const size of [memoryBytes + 1, 65_536, 0, -65_536, Number.NaN, 2 ** 33]) {
    expect(thaw(difference, size)).toThrow(expect.objectContaining(refused))
  }
})

it('gives an instance that was used once to the next use', async () => {
  const kind = new QuickJSKind()
  const use = { template, image: baseImage, isolation: 'pristine', isUsedOnce: true } as const
  const instance = await kind.create(use)
  expect(kind.isFree(instance)).toBe(false)
  evaluate(instance, 'globalThis.left = 1')
  expect(kind.reset(instance)).toBeUndefined()
  expect(kind.isFree(instance)).toBe(true)
  expect(kind.isBoundTo(instance, use)).toBe(false)
  kind.bind(instance, { ...use })
  expect(evaluate(instance, 'typeof left')).toBe('"undefined"')
})
