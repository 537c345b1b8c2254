import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 30_000, maxLogBytes: 2 ** 24 })

/** Random expressions: as text, so that both sides make the same values. */
function expressions(seed: number, count: number): string[] {
  let state = seed
  const roll = (sides: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)]!
  const leaves = [
    ...[
      '0',
      '-0',
      '1.5',
      'NaN',
      '-Infinity',
      '1e21',
      '12345678901234567890n',
      'true',
      'null',
      'undefined',
    ],
    ...[
      `''`,
      `'text'`,
      `"it's"`,
      `'"both" \\'kinds\\''`,
      '"a\\nb\\tc"',

      '"ü€👍"',
      `'x'.repeat(120)`,
    ],
    ...[`Symbol('s')`, 'Symbol()', 'Symbol.iterator', `Symbol.for('a b')`],
    ...[
      '() => 1',
      'function named() {}',
      'async () => {}',
      'function* gen() {}',
      'async function* both() {}',
    ],
    ...[
      'class A {}',
      'class B extends Map {}',
      'class {}',

      'Math.max',
    ],
    ...['new Date(0)', 'new Date(NaN)', '/a+/gi', 'new Date(1e12)'],
    ...[
      'new Number(3)',
      `new String('abc')`,
      'new Boolean(false)',
      'Object(1n)',
      `Object(Symbol('boxed'))`,
      'new Number(-0)',
    ],
    ...[
      'new Uint8Array([1, 2, 3])',
      'new Float32Array(2)',
      'new BigInt64Array(1)',
      'new ArrayBuffer(3)',
    ],
    ...[
      '[]',
      '{}',
      'new Map()',
      'new Set()',
      'Object.create(null)',
      'new (class Empty {})()',
      '[,]',
      'new Array(3)',
      'Object.create({})',
    ],
    ...[
      'globalThis.Math',
      'JSON',

      'Object.freeze([1])',
      'new (class Foo extends Map {})([[1, 2]])',
    ],
    ...[],
    ...[`new (class T { get [Symbol.toStringTag]() { return 'Tag' } })()`],
    ...['(function* () {})()'],
  ]
  const keys = [
    'a',
    'b',
    `'b-c'`,
    `'1'`,
    '2',
    `'__proto'`,
    `''`,
    '[Symbol("k")]',
    `'it\\'s'`,
    '$_1',
    `'ü'`,
  ]
  const one = (depth: number): string => {
    const kind = depth <= 0 ? 0 : roll(11)
    const some = (most: number) => Array.from({ length: roll(most) }, () => one(depth - 1))
    const fields = (most: number) =>
      Array.from({ length: roll(most) }, () => `${pick(keys)}: ${one(depth - 1)}`).join(', ')
    switch (kind) {
      case 1:
      case 2:
        return `{ ${fields(6)} }`
      case 3:
        return `[${some(8).join(', ')}]`
      case 4:
        return `new Map([${some(4).map((key) => `[${key}, ${one(depth - 1)}]`)}])`
      case 5:
        return `new Set([${some(5)}])`
      case 6:
        return `Object.assign(new (class Point {})(), { ${fields(4)} })`
      case 7:
        return `Object.assign([${some(3)}], { ${fields(3)} })`
      case 8:
        return `Object.assign(Object.create(null), { ${fields(3)} })`
      case 9:
        return pick([
          `{ get g() { return 1 }, set s(v) {}, get b() { throw 1 }, set b(v) {}, ${fields(2)} }`,
          `((o) => { o.self = o; o.list = [o, new Map([[o, o]])]; return o })({ ${fields(3)} })`,
          `Array.from({ length: ${pick([7, 27, 101, 130])} }, (_, i) => i * ${pick([1, 1000, 1.5])})`,
          `Array.from({ length: ${pick([8, 30])} }, (_, i) => 'w'.repeat(i % 9))`,
          `Object.fromEntries(Array.from({ length: ${pick([5, 30])} }, (_, i) => ['key' + i, i]))`,
        ])
      default:
        return pick(leaves)
    }
  }
  const formats = [`'%O %%'`, `'100%'`]
  return Array.from({ length: count }, () => {
    const values = Array.from({ length: 1 + roll(2) }, () => one(roll(3)))
    return roll(4) === 0 ? [pick(formats), ...values].join(', ') : values.join(', ')
  })
}

/** What Node's own console writes for the same code. */
function inNode(body: string): string {
  let text = ''
  const write = (line: string) => {
    text += line
    return true
  }
  const stream = Object.assign(new Writable(), { write }) as Writable
  const console = new Console({ stdout: stream, stderr: stream, inspectOptions: { colors: false } })
  new Function('console', body)(console)
  return text
}

it.each([1, 2, 3, 4])('random values are printed as Node prints them (seed %i)', async (seed) => {
  const all = expressions(seed, 250)
  const body = all
    .map(
      (expression, i) =>
        `console.log('#${i}'); try { console.log(${expression}) } catch (e) { console.log('threw', e.name) }`,
    )
    .join('\n')
  const { logs, error } = await runtime.executeHandler(handler(body), { event: null })
  expect(error).toBeUndefined()
  const printed = (text: string) => text.split(/^#\d+\n/m).slice(1)
  const here = printed(inNode(body))
  const there = printed(logs.map(({ message }) => `${message}\n`).join(''))
  const differences = all
    .map((expression, i) => ({ expression, inNode: here[i], inSandbox: there[i] }))
    .filter((one) => one.inNode !== one.inSandbox)
  expect(differences).toEqual([])
})
