import type { HostileProgram } from '../program.js'

/** A handler that says how it found things before it changes them: the second call must say the same. */
const change = (what: string, look: string, attack: string): HostileProgram => ({
  name: `changing ${what}`,
  handler: `async (event, ctx) => { const found = ${look}; ${attack}; ctx.log.info('still here', { a: 1 }); await null; return found }`,
  expect: 'success',
  value: false,
})

/** The same before any call, while the module is loaded: later calls of this handler only fool themselves. */
const poison = (
  what: string,
  attack: string,
  expect: HostileProgram['expect'] = 'success',
): HostileProgram => ({
  name: `a module that replaces ${what}`,
  module: `${attack}\nexport default async (event, ctx) => { ctx.log.info('x', { a: 1 }); try { await ctx.emit('a.b', { a: [1] }, { s: 1 }) } catch { } try { await ctx.call('host', 'echo', [1]) } catch { } return { ok: event.n } }`,
  context: { capabilities: ['events:emit:>', 'ext:host'] },
  expect,
})

export const pollution: readonly HostileProgram[] = [
  change(
    'Object.prototype',
    "'polluted' in {}",
    'Object.prototype.polluted = 1; Object.prototype.then = undefined',
  ),
  change(
    'Array.prototype',
    "'polluted' in []",
    'Array.prototype.polluted = 1; Array.prototype.push = () => { throw 1 }; Array.prototype[0] = 7',
  ),
  change(
    'Function.prototype.call',
    "'hacked' in Function.prototype.call",
    'Function.prototype.call = Function.prototype.apply = Function.prototype.bind = Object.assign(() => { throw 1 }, { hacked: 1 })',
  ),
  change(
    'Promise.prototype.then',
    "'hacked' in Promise.prototype.then",
    "Promise.prototype.then = Object.assign(function () { return 'forged' }, { hacked: 1 }); Promise.resolve = Promise.prototype.catch = null",
  ),
  change(
    'the constructor of promises',
    "'hacked' in Promise.prototype.constructor",
    'Promise.prototype.constructor = Object.assign(function () {}, { hacked: 1 })',
  ),
  change(
    'JSON',
    "'hacked' in JSON.stringify",
    "JSON.stringify = Object.assign(() => 'forged', { hacked: 1 }); JSON.parse = () => ({ forged: 1 })",
  ),
  change(
    'Map.prototype',
    "'hacked' in Map.prototype.get",
    'Map.prototype.get = Map.prototype.set = Map.prototype.delete = Object.assign(() => { throw 1 }, { hacked: 1 })',
  ),
  change(
    'String.prototype',
    "'hacked' in String.prototype.slice",
    "String.prototype.slice = Object.assign(() => 'forged', { hacked: 1 })",
  ),
  change(
    'Symbol',
    "'hacked' in Symbol",
    'Symbol.hacked = 1; globalThis.Symbol = Object.assign(() => {}, { hacked: 1 })',
  ),
  change(
    'Reflect',
    "'hacked' in Reflect",
    'Reflect.hacked = 1; Reflect.apply = Reflect.ownKeys = null',
  ),
  change(
    'Array.prototype[Symbol.iterator]',
    "'hacked' in Array.prototype[Symbol.iterator]",
    'Array.prototype[Symbol.iterator] = Object.assign(function* () {}, { hacked: 1 })',
  ),
  change(
    'the prototype of generators',
    "'hacked' in Object.getPrototypeOf(function* () {})",
    'Object.getPrototypeOf(function* () {}).hacked = 1',
  ),
  change(
    'Error',
    "'hacked' in Error",
    'Error.hacked = 1; Error.stackTraceLimit = 0; Error.prepareStackTrace = () => 1; Error.prototype.name = "H"; globalThis.Error = Object.assign(() => { throw 1 }, { hacked: 1 })',
  ),
  change(
    'console and the timers',
    "'hacked' in setTimeout",
    'globalThis.setTimeout = Object.assign(() => 1, { hacked: 1 }); console.log = () => { throw 1 }; globalThis.console = null',
  ),
  change(
    'every global there is',
    "!('Object' in globalThis)",
    'for (const name of Reflect.ownKeys(globalThis)) { try { delete globalThis[name] } catch { } }',
  ),
  change(
    'the prototype of globalThis',
    "'hacked' in globalThis",
    'Object.setPrototypeOf(globalThis, { hacked: 1 })',
  ),
  change(
    'accessors of Object.prototype',
    "Object.getOwnPropertyDescriptor(Object.prototype, 'name') !== undefined",
    "for (const k of ['name', 'message', 'code', 'stack', 'cause', 'toJSON', 'resolve', 'callback']) Object.defineProperty(Object.prototype, k, { get() { return undefined }, set() { throw 1 }, configurable: true })",
  ),
  change(
    'what is frozen',
    'Object.isFrozen(Object.prototype)',
    'for (const o of [Object, Array, Function, Promise, JSON, Map, String]) { Object.freeze(o); Object.freeze(o.prototype) } Object.freeze(globalThis)',
  ),
  poison('JSON', "globalThis.JSON = { parse() { throw 1 }, stringify: () => '}{' }"),
  poison(
    'Promise and its then',
    'Promise.prototype.then = function () { throw 1 }; globalThis.Promise = function () { throw 2 }',
  ),
  poison('Object.prototype.toJSON', "Object.prototype.toJSON = function () { return '}{' }"),
  poison(
    'String.prototype.toJSON and Symbol.toPrimitive',
    "String.prototype.toJSON = () => { throw 1 }; Object.defineProperty(Object.prototype, Symbol.toPrimitive, { value: () => '}{' })",
  ),
  poison(
    'Function.prototype.call and Reflect.apply',
    'Function.prototype.call = Function.prototype.apply = Function.prototype.bind = Reflect.apply = () => { throw 1 }',
  ),
  poison(
    'Map and Array methods',
    "for (const C of [Map, Array, String, Set]) for (const k of Object.getOwnPropertyNames(C.prototype)) if (k !== 'constructor') try { C.prototype[k] = () => { throw 1 } } catch { }",
  ),
  poison(
    'the accessors that errors go through',
    "for (const k of ['name', 'message', 'code', 'stack', 'cause']) Object.defineProperty(Object.prototype, k, { get() { throw 1 }, set() { throw 2 } })",
  ),
  poison(
    'every global',
    'for (const name of Reflect.ownKeys(globalThis)) { try { delete globalThis[name] } catch { } }',
  ),
]
