import { describe, expect, it } from 'vitest'
import { hostCodec } from './host-codec.js'
import { JsonMeter } from './json-meter.js'
import { measureEncoded } from './measure-encoded.js'
import { MAX_STEPS, STEPS } from './value-limits.js'

const list = (unit: string, count: number) => `[${new Array(count).fill(unit).join(',')}]`
const numbered = (count: number, unit: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => unit(n)).join(',')

/** JSON of about `n` units that costs the thread that parses it most. */
const JSON_CASES: Record<string, (n: number) => string> = {
  numbers: (n) => list('1', n),
  'empty arrays': (n) => list('[]', n),
  'empty objects': (n) => list('{}', n),
  'arrays in arrays': (n) => list('[[]]', n),
  'new names': (n) => `{${numbered(n, (i) => `"k${i}":0`)}}`,
  'new shapes': (n) => `[${numbered(n, (i) => `{"k${i}":0}`)}]`,
  'new orders': (n) => `[${numbered(n, (i) => `{"k${i % 9}":0,"k${i % 8}":0,"k${i % 7}":0}`)}]`,
  indexes: (n) => list('{"7":0}', n),
  fractions: (n) => list('1.5', n),
  exponents: (n) => list('1e9', n),
  'short texts': (n) => `[${numbered(n, (i) => `"${i.toString(36)}"`)}]`,
  escapes: (n) => `"${'\\u0001'.repeat(n)}"`,
  'escaped quotes': (n) => `"${'\\"'.repeat(n)}"`,
  backslashes: (n) => `"${'\\\\'.repeat(n)}"`,
  'names and spaces': (n) => `{${numbered(n, (i) => `"${i}"   :0`)}}`,
  'what is not JSON': (n) => '[}{"'.repeat(n),
}

/** Text of the value codec, as an enemy would write it. */
const CODEC_CASES: Record<string, (n: number) => string> = {
  nodes: (n) => `[[1],["A",${numbered(n, (i) => `[${i + 2}]`)}]${',["A"]'.repeat(n)}]`,
  'one node, often': (n) => `[[1],["A"${',[2]'.repeat(n)}],["A"]]`,
  'a chain of references': (n) => `[[1],${numbered(n, (i) => `["A",[${i + 2}]]`)}]`,
  'references back to the first': (n) => `[[1],${numbered(n, () => '["A",[1]]')}]`,
  'references that lead nowhere': (n) => `[[1],["A"${',[9e9],[-1],[0.5]'.repeat(n)}]]`,
  'tags of old': (n) => `[[1],${numbered(n, (i) => `["J",[${i + 2}]]`)}]`,
  'a BigInt': (n) => `[["b","${'f'.repeat(n)}"]]`,
  BigInts: (n) => `[[1],["A",${numbered(n, (i) => `["b","${i}"]`)}]]`,
  'bytes that are none': (n) => `[[1],["B","${'!'.repeat(n)}"]]`,
  errors: (n) => `[[1],["A",${numbered(n, (i) => `[${i + 2}]`)}]${',["E","x","",null]'.repeat(n)}]`,
  fields: (n) => `[[1],{${numbered(n, (i) => `"k${i}":["u"]`)}}]`,
}

/** What a text costs exactly: it is made long enough to be counted at once. */
function stepsOf(text: string): number {
  const meter = new JsonMeter()
  meter.add(text + ' '.repeat(5_000))
  return meter.steps
}

describe('counting what a text will cost', () => {
  it.each(Object.entries(JSON_CASES))('is one pass over JSON: %s', (_name, make) => {
    for (const n of [10, 1_000, 100_000]) {
      const text = make(n)
      const meter = new JsonMeter()
      meter.add(text)
      expect(meter.read).toBeLessThanOrEqual(text.length)
      // The last thing it looked at may cost more than was left.
      expect(meter.steps).toBeLessThanOrEqual(MAX_STEPS + STEPS.newShape + STEPS.crowdedName)
    }
  })

  it.each(Object.entries({ ...JSON_CASES, ...CODEC_CASES }))(
    'grows with the bytes and not faster: %s',
    (_name, make) => {
      const cost = (n: number) => {
        const text = make(n)
        return measureEncoded(text, Number.POSITIVE_INFINITY).steps / text.length
      }
      expect(cost(20_000)).toBeLessThanOrEqual(cost(2_000) * 1.1 + 0.01)
      expect(cost(20_000)).toBeLessThanOrEqual(16)
    },
  )

  it.each(Object.entries(CODEC_CASES))('lets no text pass that costs more: %s', (_name, make) => {
    const { verdict, steps } = measureEncoded(make(200_000))
    if (verdict === 'ok') expect(steps).toBeLessThanOrEqual(MAX_STEPS)
    else expect(['deep', 'large', 'malformed']).toContain(verdict)
  })

  it.each(Object.entries(CODEC_CASES))(
    'and what passes is decoded, or refused as malformed: %s',
    (_name, make) => {
      const text = make(50)
      try {
        hostCodec.decode(text)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    },
  )

  it('is exact at the limits', () => {
    const meter = (max: number) => new JsonMeter(max)
    // Each number is a step, the list is three.
    expect(meter(13).add(list('1', 10))).toBe('ok')
    expect(meter(12).add(list('1', 10))).toBe('large')
    expect(new JsonMeter().add('['.repeat(256) + ']'.repeat(256))).toBe('ok')
    expect(new JsonMeter().add('['.repeat(257) + ']'.repeat(257))).toBe('deep')
    expect(new JsonMeter().add(`"${'['.repeat(1_000)}"`)).toBe('ok')
    expect(new JsonMeter().add(`"\\"${'['.repeat(1_000)}\\\\"`)).toBe('ok')
  })

  it('counts all that one call leaves together', () => {
    const meter = new JsonMeter(30)
    expect([1, 2, 3].map(() => meter.add(list('1', 10)))).toEqual(['ok', 'ok', 'large'])
  })

  it('counts a name that came before less than a new one, and the names of large objects more', () => {
    const more = STEPS.newShape - STEPS.name
    expect(stepsOf('[{"a":1},{"b":1}]') - stepsOf('[{"a":1},{"a":1}]')).toBe(more)
    const object = (from: number, to: number) =>
      `{${numbered(to - from, (n) => `"k${from + n}":0`)}}`
    const halves = stepsOf(`[${object(0, 100)},${object(100, 200)}]`)
    // One comma more is one step.
    expect(stepsOf(`[${object(0, 200)},{}]`) - halves).toBe(
      72 * (STEPS.newName + STEPS.crowdedName - STEPS.newShape) + 1,
    )
  })

  it('counts known names in another order as new: V8 makes a shape for each order', () => {
    const again = stepsOf('[{"a":1,"b":1},{"a":1,"b":1}]')
    const turned = stepsOf('[{"a":1,"b":1},{"b":1,"a":1}]')
    expect(turned - again).toBe(2 * (STEPS.newShape - STEPS.name))
  })

  it('counts names that are indexes each time, and never as part of a shape', () => {
    const again = stepsOf('[{"a1":1},{"a1":1}]') - STEPS.newShape - STEPS.name
    expect(stepsOf('[{"1a":1},{"1a":1}]') - again).toBe(2 * STEPS.newName)
  })

  it.each([
    ['1.5', STEPS.fraction],
    ['1e3', STEPS.fraction],
    ['1E3', STEPS.fraction],
    ['1.5e3', 2 * STEPS.fraction],
    ['true', 0],
    ['false', 0],
    ['"1.5e3"', STEPS.newText],
    ['"0123456789"', STEPS.newText],
    ['"0123456789a"', 0],
    [`"${'\\u0001'.repeat(10)}"`, STEPS.newText],
    [`"${'\\u0001'.repeat(11)}"`, 0],
  ])('counts %s as %i steps more than a small number', (value, more) => {
    expect(stepsOf(`[${value}]`) - stepsOf('[1]')).toBe(more)
  })

  it('counts a short text that came before like a number', () => {
    expect(stepsOf('["a","a"]') - stepsOf('["a",1]')).toBe(0)
    expect(stepsOf('["a","b"]') - stepsOf('["a",1]')).toBe(STEPS.newText)
  })

  it('takes short texts at more than they cost, and counts them when that is too much', () => {
    const texts = Array.from({ length: 40 }, (_, n) => `{"name ${n}":[1,2,3]}`)
    const sum = (max?: number) => {
      const meter = new JsonMeter(max)
      return { verdicts: texts.map((text) => meter.add(text)), steps: meter.steps }
    }
    const exact = sum(2_000)
    const taken = sum()
    expect(exact.verdicts).not.toContain('large')
    expect(exact.steps).toBeLessThanOrEqual(2_000)
    expect(taken.steps).toBeGreaterThan(exact.steps)
    expect(sum(1_500).verdicts).toContain('large')
  })

  it.each(Object.entries(JSON_CASES))(
    'takes no short text at less than it costs: %s',
    (_name, make) => {
      for (const n of [1, 2, 10, 100, 400]) {
        const text = make(n)
        if (text.length > 4_096) continue
        const [taken, counted] = [new JsonMeter(), new JsonMeter()]
        taken.add(text)
        counted.add(text + ' '.repeat(5_000))
        expect(taken.steps).toBeGreaterThanOrEqual(counted.steps)
      }
    },
  )

  it('expects the worst of numbers and BigInts as keys: hashes of V8 that all meet', () => {
    const bigInts = (n: number) => `[[1],["S",${numbered(n, (i) => `["b","${i}"]`)}]]`
    const numbers = (n: number) => `[[1],["M",${numbered(n, (i) => `${i},0`)}]]`
    expect(measureEncoded(bigInts(1_000)).verdict).toBe('ok')
    expect(measureEncoded(bigInts(4_000)).verdict).toBe('large')
    expect(measureEncoded(numbers(4_000)).verdict).toBe('ok')
    expect(measureEncoded(numbers(8_000)).verdict).toBe('large')
  })

  it.each([
    [
      'twice, level by level',
      (n: number) => `[[1],${numbered(n, (i) => `["A",[${i + 2}],[${i + 2}]]`)},["A"]]`,
      60,
    ],
    [
      'by names',
      (n: number) => `[[1],${numbered(n, (i) => `{"a":[${i + 2}],"b":[${i + 2}]}`)},["A"]]`,
      60,
    ],
    [
      'a text',
      (n: number) => `[[1],["A"${',[2]'.repeat(n)}],["A","${'x'.repeat(100_000)}"]]`,
      1_000,
    ],
    [
      'and back to the first',
      (n: number) => `[[1],${numbered(n, (i) => `["A",[${i + 2}],[${i + 2}],[1]]`)},["A"]]`,
      60,
    ],
  ])('refuses what is small and unfolds into too much: shared %s', (_name, make, n) => {
    expect(measureEncoded(make(3)).verdict).toBe('ok')
    expect(measureEncoded(make(n)).verdict).toBe('large')
  })

  it('finds the longest way through what refers to each other', () => {
    // The first list leads to each node at once, and each node to the next.
    const shortAndLong = (n: number) =>
      `[[1],["A",${numbered(n, (i) => `[${i + 2}]`)}],${numbered(n, (i) => `["A",[${i + 3}]]`)},["A"]]`
    expect(measureEncoded(shortAndLong(254)).verdict).toBe('ok')
    expect(measureEncoded(shortAndLong(255)).verdict).toBe('deep')
  })
})

it.each<[string, (length: number) => unknown]>([
  ['the digits of a BigInt', (length) => [BigInt(`0x${'f'.repeat(length)}`)]],
  ['bytes', (length) => new Uint8Array(length)],
  ['a text beside what JSON has not', (length) => [1n, 'x'.repeat(length)]],
])('%s cost by their length', (_what, make) => {
  const stepsOf = (length: number) => measureEncoded(hostCodec.encode(make(length), 'value')).steps
  const least = 64_000 / 64
  expect(stepsOf(128_000) - stepsOf(64_000)).toBeGreaterThanOrEqual(least)
  expect(stepsOf(128_000) - stepsOf(64_000)).toBeLessThan(4 * least)
})
