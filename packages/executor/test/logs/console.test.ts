import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0 })

/** What Node's own console writes for the same code. */
function inNode(body: string): string {
  let text = ''
  const stream = Object.assign(new Writable(), {
    write: (line: string) => {
      text += line
      return true
    },
  }) as Writable
  const console = new Console({ stdout: stream, stderr: stream, inspectOptions: { colors: false } })
  new Function('console', body)(console)
  return text
}

async function inGuest(body: string): Promise<string> {
  const code = `export default () => { ${body} }`
  const { logs, error } = await runtime.executeHandler(code, { event: null })
  expect(error).toBeUndefined()
  return logs.map(({ message }) => `${message}\n`).join('')
}

const PRINTED = [
  `console.log('text', 1, -0, NaN, 1n, true, null, undefined, Symbol('s'))`,
  `console.log('%s is %d%% of %i, %f, %j and %o', 'x', 50, 7.9, 1.5, { a: 1 }, [1])`,
  `console.log('100%', { a: 1 })`,
  `console.log('%c styled %s', 'color: red', { a: { b: { c: 1 } } })`,
  `console.log({ a: 1, 'b-c': [1, { d: 2 }], e: { f: { g: { h: 1 } } } })`,
  `console.log(['a', "it's", 'new\\nline'], [1, , 3], new Array(5), [[[[1]]]])`,
  `console.log(new Map([['k', { a: [1, 2] }], [{}, new Set([1, 'b'])]]))`,
  `const a = { name: 'a' }; a.self = a; a.list = [a, { a }]; console.log(a)`,
  `const m = new Map(); m.set('m', m); console.log(m)`,
  `console.log(new Date(0), new Date(NaN), /a+/gi, () => 1, function f() {}, class A {}, class extends Array {})`,
  `class Point { constructor() { this.x = 1; this.y = { z: 2 } } get sum() { return 1 } }; console.log(new Point(), [new Point()])`,
  `console.log(Object.create(null), Object.assign(Object.create(null), { a: 1 }))`,
  `console.log({ get a() { return 1 }, set b(v) {}, get c() { return 1 }, set c(v) {} })`,
  `console.log(JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}'))`,
  `console.log(new Uint8Array(3), new Float64Array([1.5, -0]), new BigInt64Array(1))`,
  `console.log(Array.from({ length: 250 }, (_, i) => i))`,
  `console.log(new Set(Array.from({ length: 130 }, (_, i) => 'item ' + i)))`,
  `console.log(Array.from({ length: 9 }, (_, i) => 'word' + i), { long: 'x'.repeat(90), b: 1 })`,
  `console.table([{ a: 1, b: 'x' }, { a: 2, c: true }]); console.table([[1, 2], [3]], ['1']); console.table(5)`,
  `console.group('outer'); console.log('a\\nb'); console.group(); console.log({ a: 1 }); console.groupEnd(); console.log('c'); console.groupEnd(); console.groupEnd(); console.log('d')`,
  `console.assert(true, 'not shown'); console.assert(false); console.assert(false, 'why %s', 'so')`,
  `console.count(); console.count('x'); console.count(); console.countReset(); console.count()`,
  `console.dir({ a: { b: { c: { d: 1 } } } }); console.dir({ a: { b: 1 } }, { depth: 0 }); console.dir({ a: { b: { c: { d: { e: 1 } } } } }, { depth: null })`,
  `console.info(''); console.log(); console.debug('d'); console.warn({ w: 1 }); console.error([1])`,
]

it.each(PRINTED)('prints as Node does: %s', async (body) => {
  expect(await inGuest(body)).toBe(inNode(body))
})

it('shows errors with their stack, cause, fields and the errors in them', async () => {
  const text = await inGuest(`
    class Lost extends Error { name = 'Lost' }
    const error = new TypeError('outer', { cause: new Lost('inner') })
    error.code = 'E1'
    console.error('failed:', error, new AggregateError([new RangeError('one')], 'many'))`)
  expect(text).toMatch(/^failed: TypeError: outer\n {4}at .*handler\.js/)
  for (const part of ["code: 'E1'", '[cause]: Lost: inner', '[errors]: [', 'RangeError: one']) {
    expect(text).toContain(part)
  }
  expect(text).not.toContain('<null>')
})

it('says of an assertion without a text what it was given, as newer Nodes do', async () => {
  expect(await inGuest('console.assert(0, { a: 1 }, 2)')).toBe('Assertion failed { a: 1 } 2\n')
})

it('says where console.trace was called, and for how long a timer ran', async () => {
  const text = await inGuest(
    `console.trace('here'); console.time('t'); console.timeEnd('t'); console.timeEnd('t')`,
  )
  expect(text).toMatch(
    /^Trace: here\n {4}at .*handler\.js[^\n]*\nt: \d+\.\d{3}ms\nWarning: No such label 't'/,
  )
})

it('never fails, whatever is printed', async () => {
  const text = await inGuest(`
    console.log({ get [Symbol.toStringTag]() { throw 1 } })
    console.log(new Proxy({}, { ownKeys() { throw new Error('no keys') } }))
    const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); console.log(proxy)
    console.log(Object.defineProperty(new Error('e'), 'stack', { get() { throw 1 } }))
    let deep = {}; for (let i = 0; i < 5000; i++) deep = { deep }; console.log(deep)
    console.log(new Map([[NaN, new Promise(() => {})]]), new WeakMap())
    console.log('done')`)
  expect(text).toMatch(/done\n$/)
})

it('counts what it prints against the log limit', async () => {
  const code = `export default () => { for (let i = 0; i < 1000; i++) console.log({ text: 'x'.repeat(1000) }) }`
  const { logs, status } = await runtime.executeHandler(
    code,
    { event: null },
    { maxLogBytes: 5_000 },
  )
  expect(status).toBe('success')
  expect(logs.length).toBeLessThan(7)
  expect(logs.at(-1)?.message).toContain('5000')
})
