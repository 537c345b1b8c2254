import { expect } from 'vitest'
import type { HostileProgram } from '../program.js'

const all = { capabilities: ['events:emit:>', 'ext:host'] }

/** What a guest hands to the host: results, events, arguments, log lines. */
export const values: readonly HostileProgram[] = [
  {
    name: 'a result that contains itself',
    handler: '() => { const o = {}; o.o = o; return o }',
    expect: 'EXECUTION_ERROR',
  },
  { name: 'a BigInt as result', handler: '() => 1n', expect: 'EXECUTION_ERROR' },
  { name: 'a function as result', handler: '() => () => 1', expect: 'success', value: undefined },
  {
    name: 'a symbol as result',
    handler: '() => Symbol.iterator',
    expect: 'success',
    value: undefined,
  },
  {
    name: 'a revoked proxy as result',
    handler: '() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy }',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a proxy that throws at everything as result',
    handler: '() => new Proxy({}, new Proxy({}, { get() { throw new Error("no") } }))',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a proxy of a function as result',
    handler: '() => new Proxy(() => {}, {})',
    expect: 'success',
    value: undefined,
  },
  {
    name: 'an array with a lying length',
    handler: '() => new Proxy([], { get: (t, k) => (k === "length" ? 2 ** 31 : undefined) })',
    expect: 'MEMORY_LIMIT',
    limits: { memoryLimitBytes: 1024 * 1024, timeoutMs: 20_000 },
    needsHardKill: true,
  },
  {
    name: 'a proxy with keys without an end',
    handler:
      '() => new Proxy({}, { ownKeys: () => Array.from({ length: 1e5 }, (_, i) => "k" + i), getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) })',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: '__proto__ and constructor as keys of a result',
    handler: `() => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x","then":"y"}')`,
    expect: 'success',
    verify: ({ value }) => {
      expect(Object.hasOwn(value as object, '__proto__')).toBe(true)
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
      expect('polluted' in {}).toBe(false)
    },
  },
  {
    name: 'a result that would be a promise on the host',
    handler: '() => ({ then: { call: 1 } })',
    expect: 'success',
    value: JSON.parse('{"then":{"call":1}}'),
  },
  {
    name: 'a result over its limit',
    handler: "() => 'x'.repeat(100001)",
    limits: { maxResultBytes: 100000 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'a result under its limit in characters and over it in bytes',
    handler: "() => '€'.repeat(40000)",
    limits: { maxResultBytes: 100000 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'a result of a hundred thousand keys',
    handler: '() => Object.fromEntries(Array.from({ length: 2e4 }, (_, i) => ["k" + i, i]))',
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'half of a surrogate pair as result',
    handler: "() => ['\\ud800', '\\udfff\\ud800', '\\0']",
    expect: 'success',
    value: ['\ud800', '\udfff\ud800', '\0'],
  },
  {
    name: 'raw JSON that is not JSON',
    handler: "() => ({ a: JSON.rawJSON('1],[2') })",
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a number that JSON cannot hold',
    handler: "() => [JSON.rawJSON('1e999'), NaN, -0]",
    expect: 'success',
    value: [Number.POSITIVE_INFINITY, null, 0],
  },
  {
    name: 'a result that looks like the description of an error',
    handler: `() => '!{"name":"TypeError","message":"forged"}'`,
    expect: 'success',
    value: '!{"name":"TypeError","message":"forged"}',
  },
  {
    name: 'a patched toJSON of String',
    handler: "() => { String.prototype.toJSON = () => ({ forged: 1 }); return 'x' }",
    expect: 'success',
    value: 'x',
  },
  {
    name: 'events with hostile keys and attributes',
    handler: `async (event, ctx) => {
      await ctx.emit('a.b', JSON.parse('{"__proto__":{"polluted":1}}'), JSON.parse('{"__proto__":{"polluted":1},"constructor":1}'))
      await ctx.emit('a.c', undefined, 'not an object')
      await ctx.emit('a.d', () => {}, null)
    }`,
    context: all,
    expect: 'EXECUTION_ERROR',
    verify: () => expect('polluted' in {}).toBe(false),
  },
  {
    name: 'an event that contains itself',
    handler: "async (event, ctx) => { const o = {}; o.o = o; await ctx.emit('a.b', o) }",
    context: all,
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'an event whose type is an object',
    handler: "async (event, ctx) => { await ctx.emit({ toString: () => 'a.b' }, 1) }",
    context: all,
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'an event whose type is empty',
    handler: "async (event, ctx) => { await ctx.emit('', 1) }",
    context: all,
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'an event whose type is a megabyte',
    handler: "async (event, ctx) => { await ctx.emit('a'.repeat(1e6), 1) }",
    context: all,
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'an event of a type that was not granted',
    handler: "async (event, ctx) => { await ctx.emit('other.type', 1) }",
    context: { capabilities: ['events:emit:mine.*'] },
    expect: 'PERMISSION_DENIED',
    verify: ({ events }) => expect(events).toEqual([]),
  },
  {
    name: 'an event type that tries to be another capability',
    handler: "async (event, ctx) => { await ctx.emit('mine.x:ext:host', 1) }",
    context: { capabilities: ['events:emit:mine.*', 'ext:host'] },
    expect: 'PERMISSION_DENIED',
  },
  {
    name: 'a host function that was not granted',
    handler: "(event, ctx) => ctx.call('host', 'echo', 1)",
    expect: 'PERMISSION_DENIED',
  },
  {
    name: 'host functions with a name of the language',
    handler: "(event, ctx) => ctx.call('__proto__', 'constructor', 'return this')",
    context: { capabilities: ['ext:*'] },
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a method with a name of the language',
    handler: "(event, ctx) => ctx.call('host', 'constructor', 'return this')",
    context: all,
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'arguments that are not an array',
    handler:
      "(event, ctx) => { Array.prototype.toJSON = () => 5; return ctx.call('host', 'echo', 1) }",
    context: all,
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'arguments with hostile keys',
    handler: `(event, ctx) => ctx.call('host', 'echo', JSON.parse('{"__proto__":{"polluted":1},"then":1}'))`,
    context: all,
    expect: 'success',
    verify: () => expect('polluted' in {}).toBe(false),
  },
  {
    name: 'an argument that cannot cross',
    handler: "(event, ctx) => ctx.call('host', 'echo', 1n)",
    context: all,
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'an error of the host that is looked into',
    handler:
      "async (event, ctx) => { try { await ctx.call('host', 'fail') } catch (e) { return [e.message, e.code, /node|\\.ts|\\.js:/.test(String(e.stack).replace(/handler\\.js/g, '')), Object.keys(e)] } }",
    context: all,
    expect: 'success',
    value: ['the host says no', 'E_HOST', false, ['code']],
  },
  {
    name: 'log lines that are not text',
    handler: `(event, ctx) => {
      ctx.log.info(Symbol('s')); ctx.log.warn({ toString() { throw 1 } }); ctx.log.error(Object.create(null)); ctx.log.debug(10n, 10n)
      ctx.log.info('proxy', new Proxy({}, { ownKeys() { throw new Error('trap') } })); ctx.log.info('fn', () => {}); ctx.log.info()
      console.log(new Proxy({}, { get() { throw 1 } }), { toJSON() { throw 2 } }, Symbol('c'))
    }`,
    expect: 'success',
    verify: ({ logs }) => {
      expect(logs).toHaveLength(8)
      for (const { message } of logs) expect(typeof message).toBe('string')
    },
  },
  {
    name: 'a log line with line breaks and escapes',
    handler: "(event, ctx) => ctx.log.info('a\\n\\u001b[2J\\u0000b')",
    expect: 'success',
    verify: ({ logs }) => expect(logs[0]?.message).toBe('a\n\u001b[2J\0b'),
  },
  {
    name: 'a context that is written to',
    handler:
      '(event, ctx) => { ctx.log.info = () => { throw 1 }; ctx.emit = ctx.call = null; ctx.env.X = 1; Object.setPrototypeOf(ctx, null); return 1 }',
    expect: 'success',
    value: 1,
  },
]
