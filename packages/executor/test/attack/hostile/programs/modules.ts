import type { HostileProgram } from '../program.js'

/** The module itself as the attack: what it does while it is loaded, and what it exports. */
export const modules: readonly HostileProgram[] = [
  {
    name: 'a module that loops while it is loaded',
    module: 'for (;;);\nexport default () => 1',
    expect: 'TIMEOUT',
  },
  {
    name: 'a module that loops after a top-level await',
    module: 'await null; for (;;);\nexport default () => 1',
    expect: 'TIMEOUT',
  },
  {
    name: 'a module whose promise jobs never end',
    module: 'const again = () => queueMicrotask(again); again()\nexport default () => 1',
    expect: 'TIMEOUT',
  },
  {
    name: 'a module that awaits what never comes',
    module: 'await new Promise(() => {})\nexport default () => 1',
    expect: 'INVALID_HANDLER',
  },
  {
    name: 'a module that awaits a timer',
    module: 'await new Promise((r) => setTimeout(r, 1))\nexport default () => 1',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a module that fills memory while it is loaded',
    module: 'const a = []; for (;;) a.push(new Array(1000).fill(0))\nexport default () => 1',
    expect: 'MEMORY_LIMIT',
  },
  {
    name: 'a module that recurses while it is loaded',
    module: 'const f = () => f(); f()\nexport default () => 1',
    expect: 'STACK_OVERFLOW',
  },
  {
    name: 'a module that throws null',
    module: 'throw null\nexport default () => 1',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a module that throws what throws',
    module: 'throw new Proxy({}, { get() { throw 1 } })\nexport default () => 1',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a module that throws what loops',
    module: 'throw { get message() { for (;;); } }\nexport default () => 1',
    expect: 'TIMEOUT',
  },
  {
    name: 'a module that calls the host while it is loaded',
    module:
      "let said = 'nothing'; try { console.log('x'); setTimeout(() => {}, 1); said = 'let through' } catch { }\nexport default () => said",
    expect: 'success',
    value: 'nothing',
  },
  {
    name: 'a module that leaves most of its memory to every call',
    module: 'const kept = new Uint8Array(3e6).fill(7)\nexport default () => kept.length',
    expect: 'success',
    value: 3e6,
  },
  {
    name: 'a module slow enough to be in time once, and too large for its heap again and again',
    module:
      'const started = performance.now(); const kept = new Uint8Array(6e6); while (performance.now() - started < 120);\nexport default () => kept.length',
    expect: 'TIMEOUT',
    isFresh: true,
    limits: { timeoutMs: 150 },
  },
  {
    name: 'a module and a handler that each take nearly the limit',
    module:
      'const wait = () => { const started = performance.now(); while (performance.now() - started < 120); return 1 }\nwait()\nexport default wait',
    expect: 'TIMEOUT',
    isFresh: true,
    limits: { timeoutMs: 150 },
  },
  { name: 'a module without a handler', module: 'export const x = 1', expect: 'INVALID_HANDLER' },
  {
    name: 'a default export that is not a function',
    module: 'export default { call: () => 1 }',
    expect: 'INVALID_HANDLER',
  },
  { name: 'a default export of null', module: 'export default null', expect: 'INVALID_HANDLER' },
  {
    name: 'a class as handler',
    module: 'export default class { constructor() { globalThis.built = 1 } }',
    expect: 'INVALID_HANDLER',
  },
  {
    name: 'a generator as handler',
    module: 'export default function* () { for (;;) yield 1 }',
    expect: 'INVALID_HANDLER',
  },
  {
    name: 'an async generator as handler',
    module: 'export default async function* () { for (;;) yield 1 }',
    expect: 'INVALID_HANDLER',
  },
  {
    name: 'a proxy of a function as handler',
    module:
      "export default new Proxy(() => 'inner', { apply: () => 'trapped', get() { throw 1 } })",
    expect: 'success',
    value: 'trapped',
  },
  {
    name: 'a proxy whose apply loops as handler',
    module: 'export default new Proxy(() => 1, { apply() { for (;;); } })',
    expect: 'TIMEOUT',
  },
  {
    name: 'a revoked proxy as handler',
    module:
      'const { proxy, revoke } = Proxy.revocable(() => 1, {}); revoke()\nexport default proxy',
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a bound native function as handler',
    module: "export default Array.prototype.join.bind(['a', 'b'], '-')",
    expect: 'success',
    value: 'a-b',
  },
  { name: 'eval as handler', module: 'export default eval', expect: 'success' },
  {
    name: 'Function as handler',
    module: 'export default Function',
    expect: 'INVALID_HANDLER',
  },
  { name: 'Promise as handler', module: 'export default Promise', expect: 'INVALID_HANDLER' },
  {
    name: 'a namespace that is thenable',
    module:
      "export function then(resolve) { resolve({ get default() { for (;;); } }) }\nexport default () => 'real'",
    expect: 'TIMEOUT',
  },
  {
    name: 'a namespace that is thenable and never settles',
    module: "export function then() { }\nexport default () => 'real'",
    expect: 'INVALID_HANDLER',
  },
  {
    name: 'a namespace that turns into null',
    module: "export function then(resolve) { resolve(null) }\nexport default () => 'real'",
    expect: 'EXECUTION_ERROR',
  },
  {
    name: 'a handler that is replaced while it runs',
    module: "export default function handler() { handler = () => 'replaced'; return 'first' }",
    expect: 'success',
    value: 'first',
  },
  {
    name: 'an import of a built-in module',
    module: "import fs from 'node:fs'\nexport default () => typeof fs",
    expect: 'COMPILATION_ERROR',
  },
  {
    name: 'source that is not a module',
    module: 'with (Math) { }\nexport default () => 1',
    expect: 'COMPILATION_ERROR',
  },
  {
    name: 'source of nothing but brackets',
    module: `export default ${'['.repeat(50_000)}`,
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'source with a null byte and half a surrogate',
    module: "export default () => '\\0\ud800'.length",
    expect: 'success',
  },
  {
    name: 'a module of ten thousand functions',
    module: `${Array.from({ length: 10_000 }, (_, i) => `export function f${i}() { return ${i} }`).join('\n')}\nexport default () => f9999()`,
    expect: 'success',
    value: 9999,
  },
]
