import type { HostileProgram } from '../program.js'

/** Memory that is full long before the time is over. */
const SMALL = { memoryLimitBytes: 1024 * 1024, timeoutMs: 20_000 }

/** Loops that the engine can interrupt between two of its instructions. */
export const loops: readonly HostileProgram[] = [
  { name: 'for ever', handler: '() => { for (;;); }', expect: 'TIMEOUT' },
  {
    name: 'while true with work',
    handler: '() => { let i = 0; while (true) i = (i * 31 + 7) % 1009 }',
    expect: 'TIMEOUT',
  },
  {
    name: 'do while with continue to a label',
    handler: '() => { outer: do { for (;;) continue outer } while (true) }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a finally that loops after a return',
    handler: '() => { for (;;) { try { return 1 } finally { continue } } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a catch that swallows its own interruption',
    handler: '() => { for (;;) { try { for (;;); } catch { } } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a finally that loops on when interrupted',
    handler: '() => { try { for (;;); } finally { for (;;); } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'an async function that loops before its first await',
    handler: 'async () => { for (;;); }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a rejected endless async function whose caller returns',
    handler: "() => { (async () => { for (;;); })(); return 'done' }",
    expect: 'TIMEOUT',
  },
  {
    name: 'async functions that are interrupted one after the other',
    handler: 'async () => { for (;;) { try { await (async () => { for (;;); })() } catch { } } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a generator that never stops yielding',
    handler: '() => { function* g() { for (;;) yield 1 } for (const _ of g()); }',
    expect: 'TIMEOUT',
  },
  {
    name: 'generators that delegate to each other for ever',
    handler:
      '() => { function* g() { for (;;) yield* [1, 2, 3] } let n = 0; for (const i of g()) n += i }',
    expect: 'TIMEOUT',
  },
  {
    name: 'an async iterator without an end',
    handler: 'async () => { async function* g() { for (;;) yield 1 } for await (const _ of g()); }',
    expect: 'TIMEOUT',
  },
  {
    name: 'an iterator whose next loops',
    handler: '() => { for (const _ of { [Symbol.iterator]: () => ({ next() { for (;;); } }) }); }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a spread of an endless iterator',
    handler: '() => [...{ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }].length',
    expect: 'MEMORY_LIMIT',
    limits: SMALL,
  },
  {
    name: 'Array.from of an endless iterator',
    handler:
      '() => Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }, () => 0).length',
    expect: 'MEMORY_LIMIT',
    limits: SMALL,
  },
  {
    name: 'a microtask that queues itself',
    handler: '() => new Promise(() => { const again = () => queueMicrotask(again); again() })',
    expect: 'TIMEOUT',
  },
  {
    name: 'promises that settle each other for ever',
    handler: 'async () => { for (;;) await null }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a timer that starts itself again',
    handler: '() => new Promise(() => { const again = () => setTimeout(again, 0); again() })',
    expect: 'TIMEOUT',
  },
  {
    name: 'an interval that never ends',
    handler: '() => new Promise(() => setInterval(() => {}, 0))',
    expect: 'TIMEOUT',
  },
  {
    name: 'a timer callback that loops',
    handler: '() => new Promise(() => setTimeout(() => { for (;;); }, 1))',
    expect: 'TIMEOUT',
  },
  {
    name: 'a timer callback that loops while the handler returns',
    handler:
      'async () => { setTimeout(() => { for (;;); }, 0); await new Promise((r) => setTimeout(r, 5)); return 1 }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a getter that loops',
    handler: '() => ({ get x() { for (;;); } }).x',
    expect: 'TIMEOUT',
  },
  {
    name: 'a getter of the result that loops',
    handler: '() => ({ get x() { for (;;); } })',
    expect: 'TIMEOUT',
  },
  {
    name: 'a toJSON of the result that loops',
    handler: '() => ({ toJSON() { for (;;); } })',
    expect: 'TIMEOUT',
  },
  {
    name: 'a thenable whose then loops',
    handler: '() => ({ then() { for (;;); } })',
    expect: 'TIMEOUT',
  },
  {
    name: 'a getter named then that loops',
    handler: '() => ({ get then() { for (;;); } })',
    expect: 'TIMEOUT',
  },
  {
    name: 'a thenable that resolves with itself',
    handler: '() => { const t = { then(resolve) { resolve(t) } }; return t }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a proxy whose traps loop',
    handler: '() => Object.keys(new Proxy({}, { ownKeys() { for (;;); } }))',
    expect: 'TIMEOUT',
  },
  {
    name: 'a comparator that loops',
    handler: '() => [2, 1].sort(() => { for (;;); })',
    expect: 'TIMEOUT',
  },
  {
    name: 'sorting again and again by chance',
    handler:
      '() => { const a = Array.from({ length: 1000 }, (_, i) => i); for (;;) a.sort(() => Math.random() - 0.5) }',
    expect: 'TIMEOUT',
  },
  {
    name: 'a replacer that loops',
    handler: "() => 'aaa'.replace(/a/g, () => { for (;;); })",
    expect: 'TIMEOUT',
  },
  {
    name: 'a reviver that loops',
    handler: "() => JSON.parse('[1]', () => { for (;;); })",
    expect: 'TIMEOUT',
  },
  {
    name: 'Symbol.toPrimitive that loops',
    handler: '() => +{ [Symbol.toPrimitive]() { for (;;); } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'Symbol.hasInstance that loops',
    handler: '() => 1 instanceof { [Symbol.hasInstance]() { for (;;); } }',
    expect: 'TIMEOUT',
  },
  {
    name: 'Symbol.species that loops',
    handler:
      '() => { class A extends Array { static get [Symbol.species]() { for (;;); } } return new A(1, 2).map((x) => x) }',
    expect: 'TIMEOUT',
  },
  { name: 'a loop inside eval', handler: "() => eval('for (;;);')", expect: 'TIMEOUT' },
  { name: 'a loop inside a Function', handler: "() => Function('for (;;);')()", expect: 'TIMEOUT' },
  {
    name: 'a tail of bound functions that loop',
    handler:
      '() => { let f = () => { for (;;); }; for (let i = 0; i < 50; i++) f = f.bind(null); return f() }',
    expect: 'TIMEOUT',
  },
]
