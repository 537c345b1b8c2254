import type { HostileProgram } from '../program.js'

const bomb = (name: string, handler: string): HostileProgram => ({
  name: `a memory bomb of ${name}`,
  handler,
  expect: 'MEMORY_LIMIT',
})

/** Everything a guest can allocate without an end. */
export const memoryBombs: readonly HostileProgram[] = [
  bomb('arrays', '() => { const a = []; for (;;) a.push(new Array(1000).fill(0)) }'),
  bomb(
    'one array that grows',
    '() => { const a = []; for (;;) a.push(a.length, a.length, a.length, a.length) }',
  ),
  bomb(
    'different strings',
    "() => { const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1000) + i) }",
  ),
  bomb(
    'ropes that are never flattened',
    "() => { const a = []; let s = 'x'.repeat(10000); for (;;) a.push(s = s + 'y') }",
  ),
  bomb('array buffers', '() => { const a = []; for (;;) a.push(new ArrayBuffer(65536)) }'),
  bomb('one array buffer', '() => new ArrayBuffer(2 ** 31 - 1).byteLength'),
  bomb(
    'a resizable array buffer',
    '() => { const b = new ArrayBuffer(0, { maxByteLength: 2 ** 30 }); b.resize(2 ** 30); return b.byteLength }',
  ),
  bomb('typed arrays', '() => { const a = []; for (;;) a.push(new Float64Array(1000)) }'),
  bomb('a Map', '() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) }'),
  bomb('a Set', '() => { const s = new Set(); for (let i = 0; ; i++) s.add(i + 0.5) }'),
  bomb(
    'a WeakMap with its keys',
    '() => { const m = new WeakMap(); let last; for (;;) { const k = { last }; m.set(k, k); last = k } }',
  ),
  bomb('properties', "() => { const o = {}; for (let i = 0; ; i++) o['key' + i] = i }"),
  bomb(
    'closures',
    '() => { const a = []; for (let i = 0; ; i++) { const x = [i]; a.push(() => x) } }',
  ),
  bomb('promises', '() => { const a = []; for (;;) a.push(new Promise(() => {})) }'),
  bomb('promise reactions', '() => { const p = new Promise(() => {}); for (;;) p.then(() => {}) }'),
  bomb('pending jobs', '() => { for (;;) queueMicrotask(() => {}) }'),
  bomb(
    'jobs that queue two more',
    '() => new Promise(() => { const f = () => { queueMicrotask(f); queueMicrotask(f) }; f() })',
  ),
  bomb('symbols', '() => { const a = []; for (let i = 0; ; i++) a.push(Symbol.for("s" + i)) }'),
  bomb(
    'regexes',
    "() => { const a = []; for (let i = 0; ; i++) a.push(new RegExp('a{' + (i % 50) + '}b' + i)) }",
  ),
  bomb('BigInts', '() => { const a = []; for (let i = 1n; ; i++) a.push(i << 5000n) }'),
  bomb('errors with stacks', '() => { const a = []; for (;;) a.push(new Error("e")) }'),
  bomb(
    'generators',
    '() => { const a = []; function* g() { yield 1 } for (;;) { const i = g(); i.next(); a.push(i) } }',
  ),
  bomb('proxies of proxies', '() => { let p = {}; for (;;) p = new Proxy(p, {}) }'),
  bomb(
    'bound functions of bound functions',
    '() => { let f = () => {}; for (;;) f = f.bind(null, 1, 2, 3) }',
  ),
  bomb('a linked list', '() => { let n = null; for (;;) n = { n } }'),
  bomb(
    'cycles that only a collection frees',
    '() => { const keep = []; for (;;) { const a = {}; a.again = [a]; keep.push(a) } }',
  ),
  bomb(
    'arguments',
    '() => { const a = []; (function f() { a.push(arguments) })(); for (;;) a.push((function () { return arguments })(1, 2, 3, 4)) }',
  ),
  bomb('classes', '() => { const a = []; for (;;) a.push(class { static x = 1; m() {} }) }'),
  bomb('dates', '() => { const a = []; for (;;) a.push(new Date()) }'),
  {
    name: 'a memory bomb of functions from text',
    handler: "() => { const a = []; for (let i = 0; ; i++) a.push(Function('return ' + i)) }",
    // The engine's compiler may give something that is no function instead of throwing.
    expect: ['MEMORY_LIMIT', 'EXECUTION_ERROR'],
  },
  bomb(
    'allocations after every await',
    'async () => { const a = []; for (;;) { a.push(new Array(1000).fill(0)); await null } }',
  ),
  bomb(
    'what a result is made of',
    "() => ({ toJSON: () => Array.from({ length: 1e6 }, (_, i) => 'x' + i) })",
  ),
  {
    name: 'a memory bomb that catches what it causes',
    handler:
      '() => { const a = []; for (;;) { try { a.push(new Array(1000).fill(0)) } catch { } } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'garbage as fast as it can be made',
    handler: '() => { for (;;) { const a = new Array(1000); a[0] = { a } } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'memory to the brim, handed back, again and again',
    handler:
      '() => { for (;;) { let a = []; try { for (;;) a.push(new ArrayBuffer(65536)) } catch { a = null } } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'memory so full that not even the error of an interruption fits, which is then caught',
    handler:
      '() => { let kept = []; for (;;) { try { for (;;) kept = [kept, {}] } catch { try { for (;;) {} } catch { } } } }',
    expect: 'TIMEOUT',
  },
]
