import { expect, it } from 'vitest'
import { loadEngineModule } from '../src/engine/engine-module.js'
import { MiB, openSandbox } from './sandbox.js'

// A rewind leaves the engine's constants out. Whatever a guest can reach must not write there.
const programs = {
  everyGlobal: `
    const seen = new Set()
    const tried = []
    const visit = (value, depth) => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return
      if (seen.has(value) || depth > 6) return
      seen.add(value)
      for (const key of Reflect.ownKeys(value)) {
        let member
        try { member = value[key] } catch {}
        if (typeof member === 'function' && value !== globalThis) {
          for (const args of [[], [1, 2, 3], ['a', /b/g], [[3, 1, 2]], [() => 1]]) {
            try { member.apply(value, args) } catch {}
            try { new member(...args) } catch {}
          }
          tried.push(key)
        }
        visit(member, depth + 1)
      }
    }
    const instances = () => [
      [1, 2], new Map([[1, 2]]), new Set([1]), new Date(0), /a(?<n>b)/dgimsuy, new Error('e'), 1n, 's', Symbol('x'), 1.5,
      new Uint8Array(8), new Float64Array(4), new DataView(new ArrayBuffer(16)), new Proxy({}, {}), new WeakMap(),
      (function* () { yield 1 })(), (async () => 1)(), new WeakRef({}),
    ].map((value) => Object(value))
    export default () => {
      for (const value of [...instances(), ...instances().map(Object.getPrototypeOf)]) visit(value, 5)
      visit(globalThis, 0)
      return tried.length
    }`,
  text: `export default () => [
    'ß'.toUpperCase(), 'İI'.toLowerCase(), 'é'.normalize('NFD'), '\\u{1F600}'.at(0), 'a'.localeCompare('b'),
    'x'.padStart(9, 'ab').replace(/(?<=a)b/gu, '$&$&').split(/b/y), /\\p{Script=Greek}\\p{Lu}/u.test('ΑΒ'), /[\\w--\\d]/v.test('a'),
    String.raw\`a\`, encodeURIComponent('ü'), escape('ü'), (123.456).toString(7), (1e21).toFixed(2), (0.1).toPrecision(21),
    parseFloat('1e400'), 10n ** 300n + '', new Date('2024-02-30T12:00+01:00') + '', new Date(2024, 1, 29).toISOString(),
    JSON.stringify({ a: [1, { b: 'ü\\ud800' }] }, null, 2), JSON.parse('[1e999, "\\\\u0041"]'), eval('1 + 1'), new Function('a', 'return a')(1),
  ].length`,
  failures: `
    const failing = [
      () => null.x, () => undefined(), () => { throw 1 }, () => new Array(-1), () => 'x'.repeat(1e9), () => BigInt(1.5),
      () => { const f = () => f() + 1; return f() }, () => JSON.parse('{'), () => new RegExp('('), () => eval('let 1'),
      () => Symbol() + 1, () => { class A { constructor() { this.x } } class B extends A { constructor() { } } new B() },
      () => new Uint8Array(1e9), () => decodeURIComponent('%'), () => structuredClone,
    ]
    export default () => failing.map((fail) => { try { return fail() } catch (error) { return String(error?.stack ?? error) } }).length`,
}

it('knows where this build of the engine keeps its constants', async () => {
  const { constants } = await loadEngineModule()
  expect(constants.end - constants.start).toBeGreaterThan(100_000)
})

it.each(Object.entries(programs))('lets no guest write to a constant: %s', async (_, source) => {
  const { constants } = await loadEngineModule()
  const sandbox = await openSandbox(4 * MiB)
  const instance = await sandbox.template.instantiate(await sandbox.load(source))
  const before = Buffer.from(instance.memory().subarray(constants.start, constants.end))
  for (let call = 0; call < 3; call++) {
    expect(sandbox.call(instance, null).value).toBeGreaterThan(10)
    instance.rewind()
  }
  expect(instance.memory().subarray(constants.start, constants.end).equals(before)).toBe(true)
})
