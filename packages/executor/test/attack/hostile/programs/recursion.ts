import type { HostileProgram } from '../program.js'

const deep = (
  name: string,
  handler: string,
  expect: HostileProgram['expect'] = 'STACK_OVERFLOW',
): HostileProgram => ({ name: `recursion of ${name}`, handler, expect })

/** Every way down that an engine written in C recurses on. */
export const recursion: readonly HostileProgram[] = [
  deep('a function', '() => { const f = () => f(); return f() }'),
  deep('two functions', '() => { const f = (n) => g(n + 1), g = (n) => f(n + 1); return f(0) }'),
  deep(
    'a function with a thousand arguments',
    '() => { const f = (...a) => f(...a, 1); return f(...new Array(1000)) }',
    'MEMORY_LIMIT',
  ),
  deep(
    'a catch that goes down again',
    '() => { let n = 0; const f = () => { try { f() } catch (e) { if (n++ < 100) f(); else throw e } }; f() }',
    'STACK_OVERFLOW',
  ),
  deep(
    'a finally that goes down again',
    '() => { const f = () => { try { f() } finally { f() } }; f() }',
    'TIMEOUT',
  ),
  deep('getters', '() => { const o = { get x() { return o.x } }; return o.x }'),
  deep('setters', '() => { const o = { set x(v) { o.x = v } }; o.x = 1 }'),
  deep('toString', "() => { const o = { toString() { return '' + o } }; return '' + o }"),
  deep(
    'Symbol.toPrimitive',
    '() => { const o = { [Symbol.toPrimitive]() { return +o } }; return +o }',
  ),
  deep(
    'toJSON',
    '() => { const o = { toJSON() { return JSON.stringify(o) } }; return o }',
    'STACK_OVERFLOW',
  ),
  deep('proxy traps', '() => { const p = new Proxy({}, { get: (t, k) => p[k] }); return p.x }'),
  deep(
    'a proxy that is its own prototype by trap',
    '() => { const p = new Proxy({}, { getPrototypeOf: () => p }); return p instanceof Map }',
    'TIMEOUT',
  ),
  deep(
    'a chain of proxies',
    '() => { let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); return p.x }',
  ),
  deep(
    'a chain of proxies, as the result',
    '() => { let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); return p }',
    'STACK_OVERFLOW',
  ),
  deep(
    'a chain of prototypes',
    '() => { let o = {}; for (let i = 0; i < 20000; i++) o = Object.create(o); return o.nothing === undefined }',
    'success',
  ),
  deep(
    'bound functions',
    '() => { let f = () => 1; for (let i = 0; i < 50000; i++) f = f.bind(null); return f() }',
    'MEMORY_LIMIT',
  ),
  deep('JSON.parse', "() => JSON.parse('['.repeat(500000) + ']'.repeat(500000)).length"),
  deep(
    'JSON.parse with a reviver',
    "() => JSON.parse('[[[[[[1]]]]]]', function f() { return JSON.parse('[1]', f) })",
  ),
  deep(
    'JSON.stringify',
    '() => { let o = []; for (let i = 0; i < 20000; i++) o = [o]; return JSON.stringify(o).length }',
  ),
  deep(
    'the result',
    '() => { let o = {}; for (let i = 0; i < 20000; i++) o = { o }; return o }',
    // A thread has more of Node's stack: there the limit of nesting comes first.
    ['STACK_OVERFLOW', 'RESOURCE_LIMIT'],
  ),
  deep(
    'array to text',
    "() => { let a = []; for (let i = 0; i < 50000; i++) a = [a]; return '' + a }",
  ),
  deep(
    'flat',
    '() => { let a = [1]; for (let i = 0; i < 50000; i++) a = [a]; return a.flat(Infinity).length }',
    'STACK_OVERFLOW',
  ),
  deep('generator delegation', '() => { function* g() { yield* g() } return [...g()] }'),
  deep('async functions', 'async () => { const f = async () => { await f() }; await f() }'),
  deep(
    'async generators',
    'async () => { async function* g() { yield* g() } for await (const _ of g()); }',
    'STACK_OVERFLOW',
  ),
  deep(
    'promises in promises',
    '() => { let p = Promise.resolve(1); for (let i = 0; i < 5000; i++) { const q = p; p = new Promise((r) => r(q)) } return p }',
    'success',
  ),
  deep('constructors', '() => { class A { constructor() { this.a = new A() } } return new A() }'),
  deep('Reflect.construct', '() => { function F() { Reflect.construct(F, []) } new F() }'),
  deep('apply and call', '() => { function f() { f.apply.call(f, null, []) } f() }'),
  deep('eval', "() => { globalThis.f = () => eval('f()'); return f() }"),
  deep('Function', "() => { globalThis.f = () => Function('return f()')(); return f() }"),
  deep('sort comparators', '() => { const f = () => [2, 1].sort(f); return f() }'),
  deep('replace callbacks', "() => { const f = () => 'a'.replace('a', f); return f() }"),
  deep('array callbacks', '() => { const f = () => [1].map(f); return f() }'),
  deep('iterators', '() => { const o = { [Symbol.iterator]() { return [...o] } }; return [...o] }'),
  deep('tagged templates', '() => { const f = () => f`x`; return f() }'),
  deep(
    'Error.prepareStackTrace',
    "() => { Error.prepareStackTrace = () => new Error('x').stack; return typeof new Error('y').stack }",
    'success',
  ),
  deep(
    'error causes',
    "() => { const e = new Error('x'); e.cause = e; throw e }",
    'EXECUTION_ERROR',
  ),
  deep(
    'a source of nested arrays',
    "() => eval('['.repeat(100000) + ']'.repeat(100000))",
    'STACK_OVERFLOW',
  ),
  deep(
    'a source of nested functions',
    "() => eval('(()=>'.repeat(20000) + '1' + ')'.repeat(20000))",
    // A thread has more of Node's stack: there the engine's parser gives up first, with a SyntaxError.
    ['STACK_OVERFLOW', 'EXECUTION_ERROR'],
  ),
  deep(
    'a source of nested templates',
    "() => eval(('`$' + '{').repeat(20000) + '1' + '}`'.repeat(20000))",
    'STACK_OVERFLOW',
  ),
  deep(
    'a source of endless unary operators',
    "() => eval('!'.repeat(200000) + '1')",
    'STACK_OVERFLOW',
  ),
  deep('a source of one long sum', "() => eval('1' + '+1'.repeat(50000))", 'success'),
  deep(
    'regex alternatives',
    "() => new RegExp('(a|'.repeat(200) + 'b' + ')'.repeat(200)).test('a'.repeat(50))",
    'success',
  ),
  deep(
    'regex nesting while it matches',
    "() => /^(?:a|ab)*?(?:(?:(?:b|c)*)*)*$/.test('a'.repeat(100000))",
    'success',
  ),
  deep(
    'ropes',
    "() => { let s = 'x'; for (let i = 0; i < 50000; i++) s = s + i; let t = 'x'; for (let i = 0; i < 50000; i++) t = i + t; return s.length + t.length + (s === t ? 1 : 0) }",
    'success',
  ),
  deep(
    'a list that is freed in one go',
    '() => { let n = null; for (let i = 0; i < 50000; i++) n = { n }; n = null; return 1 }',
    'success',
  ),
]
