import type { HostileProgram } from '../program.js'

/** Memory that is full long before the time is over. */
const SMALL = { memoryLimitBytes: 1024 * 1024, timeoutMs: 20_000 }

/** Single instructions that take for ever; many of them only end with the thread. */
export const nativeLoops: readonly HostileProgram[] = [
  {
    name: 'join of a sparse array',
    handler: '() => new Array(2 ** 32 - 1).join()',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'an array of holes as text',
    handler: "() => (new Array(1e9) + '').length",
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'toLocaleString of holes',
    handler: '() => new Array(1e9).toLocaleString()',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'indexOf over four billion holes',
    handler: '() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'includes over what has no elements',
    handler: '() => Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'reverse of what has no elements',
    handler: '() => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'sort of a sparse array',
    handler: '() => new Array(2 ** 32 - 1).sort().length',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'forEach over holes, without a callback to interrupt',
    handler: '() => new Array(2 ** 32 - 1).forEach(() => {})',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'copyWithin of what has no elements',
    handler: '() => Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1)',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a native loop inside the result',
    handler: '() => ({ toJSON: () => new Array(2 ** 32 - 1).join() })',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a native loop inside a promise job',
    handler: 'async () => { await null; return new Array(2 ** 32 - 1).join() }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a native loop inside a timer',
    handler: '() => new Promise(() => setTimeout(() => new Array(2 ** 32 - 1).join(), 1))',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a native loop after a host call',
    handler:
      "async (event, ctx) => { await ctx.call('host', 'echo', 1); return new Array(2 ** 32 - 1).join() }",
    context: { capabilities: ['ext:host'] },
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a native loop inside the description of an error',
    handler: '() => { throw { get message() { return new Array(2 ** 32 - 1).join() } } }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a native loop inside a log line',
    handler: '(event, ctx) => ctx.log.info({ toString: () => new Array(2 ** 32 - 1).join() })',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a native loop as a module is loaded',
    module: 'new Array(2 ** 32 - 1).join()\nexport default () => 1',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a regex that backtracks',
    handler: "() => /^(a+)+$/.test('a'.repeat(40) + 'b')",
    expect: 'TIMEOUT',
  },
  {
    name: 'a regex of nested alternatives',
    handler: "() => /^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(60))",
    expect: 'TIMEOUT',
  },
  {
    name: 'a regex that looks ahead and behind',
    handler: "() => /(?=(a+)+b)(?<=(a+)+)c/.test('a'.repeat(40))",
    expect: 'TIMEOUT',
  },
  {
    name: 'a regex with back references',
    handler: String.raw`() => /^(.*)(.*)(.*)(.*)\4\3\2\1x$/.test('ab'.repeat(200))`,
    expect: 'TIMEOUT',
  },
  {
    name: 'replace with a regex that backtracks',
    handler: "() => ('a'.repeat(40) + 'b').replaceAll(/(a*)*$/g, '')",
    expect: 'TIMEOUT',
  },
  {
    name: 'powers of BigInt that do not fit into memory',
    handler: '() => String(2n ** (2n ** 40n)).length',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a BigInt that squares itself, again and again',
    handler: '() => { for (;;) { let x = 3n; try { for (;;) x *= x } catch { } } }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a square of a BigInt that is too large',
    handler: '() => { const x = 1n << 700000n; return x * x > 0n }',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'large BigInts as text, without an end',
    handler: '() => { for (;;) String((1n << 1000000n) - 1n) }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  { name: 'a long shift of BigInt', handler: '() => 1n << (1n << 62n)', expect: 'EXECUTION_ERROR' },
  {
    name: 'text repeated past memory',
    handler: "() => 'abc'.repeat(2 ** 28).length",
    expect: 'MEMORY_LIMIT',
  },
  {
    name: 'text padded past memory',
    handler: "() => ''.padStart(2 ** 29, 'é').length",
    expect: 'MEMORY_LIMIT',
  },
  {
    name: 'text that doubles',
    handler: "() => { let s = 'é'; for (;;) s += s }",
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'text that doubles and is looked at',
    handler: "() => { let s = 'ab'; for (;;) { s += s; s.charCodeAt(s.length >> 1) } }",
    expect: 'MEMORY_LIMIT',
  },
  {
    name: 'replaceAll that multiplies',
    handler: "() => { let s = 'a'; for (;;) s = s.replaceAll('a', 'aaaaaaaaaa') }",
    expect: 'MEMORY_LIMIT',
    limits: SMALL,
    needsHardKill: true,
  },
  {
    name: 'replace patterns that quote the rest',
    handler: "() => { let s = 'a'; for (;;) s = s.replace(/a/g, \"$`$'aa\") }",
    expect: 'MEMORY_LIMIT',
    limits: SMALL,
  },
  {
    name: 'JSON of something shared a million times over',
    handler:
      '() => { let o = [1]; for (let i = 0; i < 40; i++) o = [o, o]; return JSON.stringify(o).length }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a result shared a million times over',
    handler: '() => { let o = [1]; for (let i = 0; i < 40; i++) o = [o, o]; return o }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'fills of typed arrays without an end',
    handler: '() => { const a = new Float64Array(500000); for (;;) a.fill(Math.random()) }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'sorts of typed arrays without an end',
    handler:
      '() => { const a = new Float64Array(300000); for (;;) { for (let i = 0; i < a.length; i += 7) a[i] = -i; a.sort() } }',
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'Array.from of a length that does not fit into memory',
    handler: '() => Array.from({ length: 2 ** 32 - 1 }).length',
    expect: 'MEMORY_LIMIT',
    limits: SMALL,
  },
  {
    name: 'fill of an array of four billion',
    handler: '() => new Array(2 ** 32 - 1).fill(0).length',
    expect: 'MEMORY_LIMIT',
    limits: SMALL,
  },
  {
    name: 'flat of arrays inside each other',
    handler:
      '() => { let a = [1, 2]; for (let i = 0; i < 40; i++) a = [a, a]; return a.flat(Infinity).length }',
    expect: 'MEMORY_LIMIT',
    limits: SMALL,
    needsHardKill: true,
  },
  {
    name: 'normalize of a long text again and again',
    handler: "() => { const s = '\\u1e9b\\u0323'.repeat(100000); for (;;) s.normalize('NFKD') }",
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'split and join again and again',
    handler: "() => { const s = 'a,'.repeat(50000); for (;;) s.split(',').join(';') }",
    expect: 'TIMEOUT',
    needsHardKill: true,
  },
  {
    name: 'a source of a million parentheses',
    handler: "() => Function('return ' + '('.repeat(1e5) + '1' + ')'.repeat(1e5))()",
    expect: 'STACK_OVERFLOW',
  },
  {
    name: 'a regex of a million groups',
    handler: "() => new RegExp('(?:'.repeat(1e5) + ')'.repeat(1e5)).test('')",
    expect: 'STACK_OVERFLOW',
  },
  {
    name: 'regexes that are compiled without an end',
    handler:
      "() => { for (let i = 0; ; i++) new RegExp('[' + i + '-z]{1,' + (i % 100 + 1) + '}', 'v') }",
    expect: 'TIMEOUT',
  },
]
