import { expect } from 'vitest'
import type { HostileProgram } from '../program.js'

const FORBIDDEN =
  "['process', 'require', 'module', 'global', 'Buffer', 'XMLHttpRequest', 'WebAssembly', 'Deno', 'Bun', 'std', 'os', 'bjson', 'scriptArgs', 'setImmediate', 'Worker', 'postMessage', 'host', 'gc', 'load', 'print']"
const reach = (name: string, handler: string, value: unknown): HostileProgram => ({
  name: `reaching out by ${name}`,
  handler,
  expect: 'success',
  value,
  context: { capabilities: ['ext:host'] },
})

/** Ways out of the sandbox; each says what it found. */
export const hostReach: readonly HostileProgram[] = [
  reach(
    'names of the host',
    `() => ${FORBIDDEN}.filter((name) => name in globalThis || eval('typeof ' + name) !== 'undefined')`,
    [],
  ),
  reach(
    "Function('return this')",
    "(event, ctx) => Promise.all([ctx.emit, ctx.call, ctx.log.info, console.log, setTimeout].map((f) => f.constructor('return typeof process + typeof require + (this === globalThis)')()))",
    [
      'undefinedundefinedtrue',
      'undefinedundefinedtrue',
      'undefinedundefinedtrue',
      'undefinedundefinedtrue',
      'undefinedundefinedtrue',
    ],
  ),
  reach(
    'the constructors of what it is given',
    "(event, ctx) => [event, ctx, ctx.env, ctx.log, ctx.emit].map((o) => Object.getPrototypeOf(o).constructor === (typeof o === 'function' ? o.constructor : Object) && typeof o.constructor.constructor('return process') === 'function' && o.constructor.constructor === Function)",
    [true, true, true, true, true],
  ),
  reach(
    'async constructors',
    "async (event, ctx) => { const AsyncFunction = (async () => {}).constructor, G = (function* () {}).constructor; return [await AsyncFunction('return typeof process')(), [...G('yield typeof process')()][0]] }",
    ['undefined', 'undefined'],
  ),
  reach(
    'import() of built-in modules',
    "async () => { const found = []; for (const name of ['fs', 'node:fs', 'std', 'os', 'qjs:std', 'qjs:os', 'child_process', 'file:///etc/passwd', 'https://127.0.0.1/', 'data:text/javascript,1']) { try { await import(name); found.push(name) } catch (e) { if (!(e instanceof Error)) found.push(typeof e) } } return found }",
    [],
  ),
  reach(
    'import.meta',
    '() => Object.keys(import.meta).filter((k) => k !== "url" && k !== "main").length',
    0,
  ),
  reach(
    'arguments.callee and caller',
    `(event, ctx) => {
    const found = []
    const spy = { toString() {
      'use strict'
      try { found.push(typeof spy.toString.caller) } catch (e) { found.push('refused') }
      return 'x'
    } }
    function sloppy() { try { return typeof arguments.callee.caller } catch { return 'refused' } }
    found.push(Function('f', 'return f()')(sloppy)); ctx.log.info(spy); return found.filter((it) => it === 'function')
  }`,
    [],
  ),
  {
    name: 'reaching out by the call sites of Error.prepareStackTrace',
    handler: `(event, ctx) => {
      const functions = new Set()
      Error.prepareStackTrace = (error, sites) => { for (const site of sites) { const f = site.getFunction?.(); if (typeof f === 'function') functions.add(f) } return '' }
      const spy = { toString() { new Error().stack; return 'x' }, toJSON() { new Error().stack; return 1 }, get then() { new Error().stack } }
      ctx.log.info(spy, spy); console.log(spy)
      ctx.emit('x', spy).catch(() => {})
      ctx.call(spy, spy, spy).catch(() => {})
      const natives = [...functions].filter((f) => /\\[native code\\]/.test(Function.prototype.toString.call(f)) && f.name === 'host')
      return natives.length
    }`,
    expect: 'success',
    value: 0,
  },
  {
    name: 'calling the functions of the prelude that call sites give away',
    handler: `async (event, ctx) => {
      if (globalThis.inside) return 'again'
      globalThis.inside = true
      const functions = new Set()
      Error.prepareStackTrace = (error, sites) => { for (const site of sites) { const f = site.getFunction?.(); if (typeof f === 'function') functions.add(f) } return '' }
      ctx.log.info({ toString() { new Error().stack; return 'x' } })
      let tried = 0
      for (const f of functions) {
        if (f.name !== 'run' && f.name !== 'settle' && f.name !== 'fire' && f.name !== 'text') continue
        for (const args of [[], [1, '{}', 1], ['"fingerprint"', '{"env":{"A":"b"}}', 0], [null, undefined, NaN]]) { tried++; try { f(...args) } catch { } }
      }
      return tried > 0
    }`,
    expect: 'success',
    value: true,
  },
  reach(
    'the walk of everything reachable',
    `() => {
    const seen = new Set(), queue = [globalThis], found = []
    const nameOf = (value) => { try { return value.name } catch { } }
    while (queue.length > 0) {
      const object = queue.pop()
      if (seen.has(object)) continue
      seen.add(object)
      for (const key of Reflect.ownKeys(object)) {
        const d = Object.getOwnPropertyDescriptor(object, key)
        for (const value of [d.value, d.get, d.set, Object.getPrototypeOf(object)]) if ((typeof value === 'object' && value !== null) || typeof value === 'function') { if (nameOf(value) === 'host') found.push(String(key)); queue.push(value) }
      }
    }
    return found
  }`,
    [],
  ),
  reach(
    'shared memory and waiting on it',
    "() => { try { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9); return 'waited' } catch (e) { return e.name } }",
    'TypeError',
  ),
  reach('shadow realms', '() => typeof ShadowRealm + typeof Realm', 'undefinedundefined'),
  reach(
    'a patched Function.prototype.toString',
    "(event, ctx) => { let seen = 0; Function.prototype.toString = Function.prototype.call = function (...a) { seen++; return '' }; ctx.log.info('x', { a: 1 }); console.log({}); return seen }",
    0,
  ),
  reach(
    'setters on what the prelude writes',
    `async (event, ctx) => {
    const leaked = []
    for (const key of ['resolve', 'reject', 'callback', 'values', 'repeats', 'name', 'message', 'stack', 'code', 'cause']) Object.defineProperty(Object.prototype, key, { set(v) { leaked.push(key) }, get() { return undefined }, configurable: true })
    setTimeout(() => {}, 1); const p = ctx.call('host', 'echo', 1); await p
    for (const key of ['resolve', 'reject', 'callback', 'values', 'repeats', 'name', 'message', 'stack', 'code', 'cause']) delete Object.prototype[key]
    return leaked
  }`,
    [],
  ),
]

export const hostWrites: readonly HostileProgram[] = [
  {
    name: 'writing to the standard output of the host',
    handler:
      "() => { for (const f of ['print', 'alert']) if (typeof globalThis[f] === 'function') globalThis[f]('x'); console.log('only in the log'); return 1 }",
    expect: 'success',
    value: 1,
    verify: ({ logs }) => expect(logs).toHaveLength(1),
  },
]
