// biome-ignore-all lint/suspicious/noSelfCompare: a value that is always true
// biome-ignore-all lint/suspicious/noSparseArray: holes are what is compared
// biome-ignore-all lint/suspicious/noExplicitAny: wrong arguments are what is tried
import assert from 'node:assert'
import strict from 'node:assert/strict'
import util from 'node:util'
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as never
class Foo {
  a = 1
  #b = 2
  get c() {
    return this.#b
  }
}
const cyclic: Record<string, unknown> = { name: 'x' }
cyclic.self = cyclic
const VALUES: (() => unknown)[] = [
  () => 1,
  () => -0,
  () => 'a\'b"c',
  () => null,
  () => undefined,
  () => true,
  () => 10n,
  () => Symbol('s'),
  () => [1, , 3],
  () => [],
  () => ({}),
  () => ({ a: { b: { c: { d: 1 } } } }),
  () => new Map([['k', { v: 1 }]]),
  () => new Set([1, 'x']),
  () => new Date(0),
  () => new Date(Number.NaN),
  () => /x/gi,
  () => new Foo(),
  () => Object.create(null),
  () => function named() {},
  () => class A {},
  () => cyclic,
  () => Buffer.from('abc'),
  () => new Uint8Array([1, 2]),
  () => new ArrayBuffer(2),
  () => 'x'.repeat(200),
  () => Array.from({ length: 120 }, (_, i) => i),
  () => [undefined, null],
  () => ({ 'a-b': 1, [Symbol('q')]: 2 }),
  () => Object.assign(() => 1, { x: 1 }),
  () => [['a', ['b', ['c', ['d']]]]],
  () => new Boolean(false),
  () => Object('str'),
  () => ({
    get a() {
      return 1
    },
    set b(_value: number) {},
  }),
  () => 'multi\nline',
  () => ['a\nb'],
  () => 1e21,
  () => Number.NaN,
  () => [1.5, -3, 1000000],
  () => ({ a: 'x'.repeat(60), b: 'y'.repeat(60) }),
  () => new (class extends Map<number, number> {})([[1, 2]]),
  () => async () => 1,
  () => function* gen() {},
  () => new WeakMap(),
  () => new Error('boom').message,
  () => [new Date(5)],
  () => ({ f() {}, g: () => 1 }),
  () => globalThis === globalThis,
]
const FORMATS: unknown[][] = [
  ['%s %s', 'a', 1],
  ['%d', '42'],
  ['%i', 4.7],
  ['%f', '1.5x'],
  ['%j', { a: 1 }],
  ['%o', [1]],
  ['%O', { a: { b: { c: {} } } }],
  ['%%', 1],
  ['%c', 'css'],
  ['a', 'b', { c: 1 }],
  ['%s'],
  ['%x', 1],
  [1, 2, '3'],
  ['%s', null, undefined],
  ['%s', 10n],
  ['%d', 10n],
  ['%s', { toString: () => 'own' }],
  ['%s', Symbol('x')],
  ['%j', cyclic],
  [],
  ['%s', -0],
  ['%i', 'abc'],
]
const PAIRS: [unknown, unknown][] = [
  [1, 1],
  [1, '1'],
  [Number.NaN, Number.NaN],
  [0, -0],
  [{ a: 1 }, { a: 1 }],
  [{ a: 1 }, { a: '1' }],
  [
    [1, 2],
    [1, 2],
  ],
  [
    [1, 2],
    [2, 1],
  ],
  [new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]])],
  [new Set([[1], [2]]), new Set([[2], [1]])],
  [new Date(1), new Date(1)],
  [new Date(1), new Date(2)],
  [/a/g, /a/i],
  [new Foo(), { a: 1 }],
  [cyclic, cyclic],
  [Buffer.from('a'), Buffer.from('a')],
  [Buffer.from('a'), new Uint8Array([97])],
  [
    [1, undefined],
    [1, ,],
  ],
  [{ a: undefined }, {}],
  [null, undefined],
  [Object.create(null), {}],
  [new Error('a'), new Error('a')],
  [new Error('a'), new Error('b')],
  [Object(1), Object(1)],
  [Object(1), Object(2)],
  [Symbol.for('a'), Symbol.for('a')],
  [new Float32Array([0]), new Float32Array([-0])],
  [[], {}],
  ['a', new String('a')],
  [1n, 1],
  [new Map([[1, 2]]), new Map([[1, 3]])],
  [new Set([1]), new Set(['1'])],
]
const BOTH = [
  assert.equal,
  assert.notEqual,
  assert.strictEqual,
  assert.notStrictEqual,
  assert.deepEqual,
  assert.notDeepEqual,
  assert.deepStrictEqual,
  assert.notDeepStrictEqual,
  strict.equal,
]
const outcome = (run: () => void) => () => {
  try {
    run()
    return 'holds'
  } catch (error) {
    const { name, code, operator, generatedMessage } = error as assert.AssertionError
    return [name, code, operator, generatedMessage]
  }
}
const text = (run: () => void) => () => {
  try {
    run()
    return 'holds'
  } catch (error) {
    return [(error as Error).name, (error as { code?: string }).code, (error as Error).message]
  }
}

export default () =>
  outcomes([
    ...VALUES.map((value) => () => util.inspect(value())),
    ...VALUES.map((value) => () => util.inspect(value(), { depth: 0, compact: false })),
    ...VALUES.map(
      (value) => () => util.inspect(value(), { showHidden: false, colors: true, breakLength: 40 }),
    ),
    ...FORMATS.map((args) => () => util.format(...args)),
    ...PAIRS.map(
      ([a, b]) =>
        () =>
          util.isDeepStrictEqual(a, b),
    ),
    ...PAIRS.flatMap(([a, b]) => BOTH.map((check) => outcome(() => check(a, b)))),
    ...VALUES.flatMap((value) =>
      Object.entries(util.types)
        .filter(
          ([name]) =>
            !['isExternal', 'isProxy', 'isEventTarget', 'isWeakRef', 'isAsyncFunction'].includes(
              name,
            ),
        )
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(([name]) => !['isKeyObject', 'isCryptoKey'].includes(name))
        .map(([name, check]) => () => [name, (check as (value: unknown) => boolean)(value())]),
    ),
    text(() => assert.equal(1, 2)),
    text(() => assert.strictEqual(1, 2)),
    text(() => assert.deepStrictEqual({ a: 1, b: [1] }, { a: 2, b: [1] })),
    text(() => assert.deepStrictEqual([1, 2, 3], [1, 2, 4], 'own')),
    text(() => assert.strictEqual('a'.repeat(30), 'b')),
    text(() => assert.notDeepStrictEqual({ a: 1 }, { a: 1 })),
    text(() => assert.deepEqual({ a: 1 }, { a: 2 })),
    text(() => assert.strictEqual([1], [1])),
    text(() => assert.notStrictEqual(5, 5)),
    text(() => assert.strictEqual('a', 'b', 'own text')),
    text(() => assert(0, 'was 0')),
    text(() => assert.fail()),
    text(() => assert.fail('text')),
    text(() => assert.ifError(null)),
    text(() => assert.ifError(new Error('e'))),
    text(() => assert.throws(() => {})),
    text(() =>
      assert.throws(() => {
        throw new Error('x')
      }, /y/),
    ),
    text(() =>
      assert.throws(() => {
        throw new Error('x')
      }, /x/),
    ),
    text(() =>
      assert.throws(() => {
        throw new TypeError('x')
      }, RangeError),
    ),
    text(() =>
      assert.throws(
        () => {
          throw new Error('x')
        },
        { message: 'x', name: 'Error' },
      ),
    ),
    text(() =>
      assert.doesNotThrow(() => {
        throw new Error('x')
      }),
    ),
    text(() => assert.match('abc', /x/)),
    text(() => assert.match('abc', /b/)),
    text(() => assert.doesNotMatch('abc', /b/)),
    text(() => assert.strictEqual(1, 2, new RangeError('mine'))),
    text(() => (assert.equal as () => void)()),
    text(() => assert.throws(any('x'))),
    text(() => strict.ok(true)),
    () => assert.rejects(Promise.reject(new Error('r')), /r/),
    () => assert.rejects(Promise.resolve(1)),
    () => assert.rejects(any(5)),
    () => assert.doesNotReject(Promise.resolve(1)),
    () =>
      new assert.AssertionError({
        message: 'm',
        actual: 1,
        expected: 2,
        operator: 'op',
      }).toString(),
    () =>
      util.promisify((a: number, done: (error: unknown, value: number) => void) =>
        done(null, a + 1),
      )(1),
    () => util.promisify((done: (error: unknown) => void) => done(new Error('no')))(),
    () => util.promisify(any(5)),
    () =>
      new Promise((resolve) =>
        util.callbackify(async (a: number) => a * 2)(4, (error, value) => resolve([error, value])),
      ),
    () =>
      new Promise((resolve) =>
        util.callbackify(() => Promise.reject(null))((error) => resolve(error)),
      ),
    () => util.inherits(any(class {}), any(null)),
    () => {
      class A {}
      class B {}
      util.inherits(A, B)
      return [new A() instanceof B, (A as any).super_ === B]
    },
    () => util.stripVTControlCharacters('\u001b[31mred\u001b[0m'),
    () => util.styleText('red', 'x'),
    () => (util.styleText as any)('red', 'x', { validateStream: false }),
    () => util.toUSVString('\ud800a'),
    () => ({
      ...util.parseArgs({
        args: ['-f', '--bar', 'b', 'rest'],
        options: { f: { type: 'boolean', short: 'f' }, bar: { type: 'string' } },
        allowPositionals: true,
      }).values,
    }),
    () => util.parseArgs({ args: ['--nope'], options: {} }),
    () => util.deprecate((a: number) => a + 1, 'old')(1),
    () => util.inspect({ [util.inspect.custom]: () => 'mine' }),
    () => util.inspect.custom,
    () => util.inspect.defaultOptions.depth,
    () => new util.TextDecoder().decode(new util.TextEncoder().encode('é')),
    () => util.isArray([]),
    () => util.debuglog('x').enabled,
    () => util.types.isAsyncFunction(5),
    () => util.getSystemErrorName(-2),
  ])
