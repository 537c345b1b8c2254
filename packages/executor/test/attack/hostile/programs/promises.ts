import type { HostileProgram } from '../program.js'

/** Promises that never settle, settle twice, or settle with something that bites. */
export const promises: readonly HostileProgram[] = [
  {
    name: 'a promise that never settles',
    handler: '() => new Promise(() => {})',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a thenable that never settles',
    handler: '() => ({ then() {} })',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a thenable that settles many times',
    handler:
      "() => ({ then(resolve, reject) { resolve('first'); reject('second'); resolve('third'); throw 'fourth' } })",
    expect: 'success',
    value: 'first',
  },
  {
    name: 'a thenable that hands out another a thousand deep',
    handler:
      '() => { let t = 7; for (let i = 0; i < 1000; i++) { const next = t; t = { then(resolve) { resolve(next) } } } return t }',
    expect: 'success',
    value: 7,
  },
  {
    name: 'a getter named then that answers differently each time',
    handler:
      '() => { let n = 0; return { get then() { return n++ === 0 ? (r) => r(1) : undefined } } }',
    expect: 'success',
  },
  {
    name: 'a proxy as the promise',
    handler: '() => new Proxy(Promise.resolve(1), {})',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a subclass of Promise whose then is its own',
    handler: "() => { class P extends Promise { then(f) { f('mine') } } return new P(() => {}) }",
    expect: 'success',
    value: 'mine',
  },
  {
    name: 'a promise with another constructor',
    handler:
      '() => { const p = Promise.resolve(5); p.constructor = { [Symbol.species]: function () { throw 1 } }; return p }',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'an error that is not awaited',
    handler: "() => { Promise.reject(new Error('unheard')); return 1 }",
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a thousand errors that are not awaited',
    handler:
      'async () => { for (let i = 0; i < 1000; i++) Promise.reject(i); await null; return 1 }',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a host call that is left behind',
    handler: "(event, ctx) => { ctx.call('host', 'never'); setTimeout(() => {}, 1e9); return 1 }",
    context: { capabilities: ['ext:host'] },
    expect: 'success',
    value: 1,
  },
  {
    name: 'a wait for a host call that never comes',
    handler: "(event, ctx) => ctx.call('host', 'never')",
    context: { capabilities: ['ext:host'] },
    expect: 'TIMEOUT',
  },
  {
    name: 'a wait for a timer in a hundred years',
    handler: '() => new Promise((r) => setTimeout(r, 1e300))',
    expect: 'TIMEOUT',
  },
  {
    name: 'an abort of a promise by a cycle',
    handler:
      '() => { let resolve; const p = new Promise((r) => { resolve = r }); resolve(p); return p }',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'Promise.all of a hundred thousand',
    handler: 'async () => (await Promise.all(Array.from({ length: 100000 }, (_, i) => i))).length',
    expect: 'MEMORY_LIMIT',
  },
  {
    name: 'a promise that is rejected with a thenable',
    handler: '() => Promise.reject({ then(r) { r(1) } })',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'an await in a finally that swallows the error',
    handler:
      'async () => { for (let i = 0; ; i++) { try { throw i } catch { } finally { await null } } }',
    expect: 'TIMEOUT',
  },
]
