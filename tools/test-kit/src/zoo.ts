/** Values that are hard to look at; each is source text, so that the same can be made in a guest and on the host. */
export const ZOO: readonly (readonly [name: string, source: string])[] = [
  ['undefined', 'undefined'],
  ['null', 'null'],
  ['a symbol', 'Symbol("s")'],
  ['a BigInt', '10n ** 1000n'],
  ['a function', '() => { throw 1 }'],
  ['ten megabytes of text', '"x".repeat(1e7)'],
  ['an object without a prototype', 'Object.create(null)'],
  ['an object whose toString is null', '({ toString: null })'],
  ['an object whose toString throws', '({ toString() { throw new Error("toString") } })'],
  ['an object whose toString gives itself', '({ toString() { return this } })'],
  [
    'an object that is no primitive',
    '({ [Symbol.toPrimitive]() { throw new Error("primitive") } })',
  ],
  ['a getter that throws', '({ get message() { throw null } })'],
  [
    'getters that throw each other',
    '({ get name() { throw this }, get message() { throw this } })',
  ],
  [
    'an error whose message throws',
    'Object.defineProperty(new Error("x"), "message", { get() { throw this } })',
  ],
  [
    'an error whose name is an object',
    'Object.assign(new Error("x"), { name: { toString: null } })',
  ],
  ['an error whose message is a symbol', 'Object.assign(new Error("x"), { message: Symbol("m") })'],
  [
    'an error whose stack throws',
    'Object.defineProperty(new Error("x"), "stack", { get() { throw null } })',
  ],
  ['an error of ten megabytes', 'new Error("x".repeat(1e7))'],
  ['an error whose cause is an event', 'new Error("x", { cause: { toString: null } })'],
  [
    'an error that is its own cause',
    '(() => { const e = new Error("x"); e.cause = e; return e })()',
  ],
  [
    'an error of 10,000 causes',
    '(() => { let e; for (let i = 0; i < 1e4; i++) e = new Error("x", { cause: e }); return e })()',
  ],
  [
    'an error whose cause throws',
    'Object.defineProperty(new Error("x"), "cause", { get() { throw this } })',
  ],
  ['an error of a class', 'new (class Odd extends TypeError { get name() { return "Odd" } })("x")'],
  ['an aggregate of errors', 'new AggregateError([1, new Error("y")], "x")'],
  [
    'a proxy that throws at everything',
    'new Proxy({}, new Proxy({}, { get() { throw new Error("trap") } }))',
  ],
  ['a proxy of an error', 'new Proxy(new Error("x"), { get() { throw new Error("trap") } })'],
  [
    'a revoked proxy',
    '(() => { const { proxy, revoke } = Proxy.revocable([], {}); revoke(); return proxy })()',
  ],
  ['a cycle', '(() => { const a = []; a[0] = { a }; return a })()'],
  ['5,000 levels', '(() => { let v = []; for (let i = 0; i < 5000; i++) v = [v]; return v })()'],
  [
    'arrays that join without an end',
    '(() => { let v = ["x"]; for (let i = 0; i < 60; i++) v = [v, v]; return v })()',
  ],
  ['a toJSON that throws', '({ toJSON() { throw new Error("toJSON") } })'],
  ['a toJSON that throws null', '({ toJSON() { throw null } })'],
  ['a toJSON that gives itself', '({ toJSON() { return this } })'],
  [
    'a promise that rejects',
    '(() => { const p = Promise.reject(new Error("x")); p.catch(() => {}); return p })()',
  ],
  ['a then that throws', '({ get then() { throw { toString: null } } })'],
  [
    'a then that rejects with a zoo of its own',
    '({ then(_, reject) { reject({ toString: null }) } })',
  ],
  ['a Map of itself', '(() => { const m = new Map(); m.set(m, m); return m })()'],
  ['a date that is none', 'new Date(NaN)'],
  ['a weak map', 'new WeakMap()'],
  [
    'an accessor on an array',
    'Object.defineProperty([], "0", { get() { throw null }, enumerable: true })',
  ],
]

/** The value that a source text of {@link ZOO} makes. */
export function fromSource(source: string): unknown {
  return new Function(`return (${source})`)()
}
