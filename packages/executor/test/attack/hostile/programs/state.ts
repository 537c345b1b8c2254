import type { HostileProgram } from '../program.js'

/** Ways to leave something for the next call; each returns what it found, which must be nothing. */
const keep = (name: string, handler: string): HostileProgram => ({
  name: `keeping state in ${name}`,
  handler,
  expect: 'success',
  value: 'nothing',
  context: { capabilities: ['ext:host'] },
})
const keepInModule = (name: string, module: string): HostileProgram => ({
  name: `keeping state in ${name}`,
  module,
  expect: 'success',
  value: 'nothing',
})

export const state: readonly HostileProgram[] = [
  keep(
    'globals',
    "() => { const found = globalThis.kept ?? 'nothing'; globalThis.kept = 'kept'; return found }",
  ),
  keepInModule(
    'variables of the module',
    "let kept = 'nothing'\nexport default () => { const found = kept; kept = 'kept'; return found }",
  ),
  keepInModule(
    'a closure',
    "const next = (() => { let n = 'nothing'; return () => { const was = n; n = 'kept'; return was } })()\nexport default () => next()",
  ),
  keepInModule(
    'the handler function itself',
    "export default function handler() { const found = handler.kept ?? 'nothing'; handler.kept = 'kept'; return found }",
  ),
  keepInModule(
    'a generator that was started',
    "const g = (function* () { yield 'nothing'; for (;;) yield 'kept' })()\nexport default () => g.next().value",
  ),
  keepInModule(
    'a promise of the module',
    "let settle; const p = new Promise((r) => { settle = r })\nexport default async () => { const found = await Promise.race([p, null]); settle('kept'); return found ?? 'nothing' }",
  ),
  keepInModule(
    'a WeakMap',
    "const keys = {}; const map = new WeakMap()\nexport default () => { const found = map.get(keys) ?? 'nothing'; map.set(keys, 'kept'); return found }",
  ),
  keepInModule(
    'a regex with lastIndex',
    "const r = /a/g\nexport default () => { const found = r.lastIndex === 0 ? 'nothing' : 'kept'; r.exec('aaa'); return found }",
  ),
  keep(
    'a prototype',
    "() => { const found = Array.prototype.kept ?? 'nothing'; Array.prototype.kept = 'kept'; return found }",
  ),
  keep(
    'the registry of symbols',
    "() => { const s = Symbol.for('k'); const found = Symbol.kept?.has(s) ? 'kept' : 'nothing'; Symbol.kept = new Set([s]); return found }",
  ),
  keep(
    'a timer that was left running',
    "() => { const found = globalThis.late ?? 'nothing'; setTimeout(() => { globalThis.late = 'kept' }, 0); setInterval(() => { globalThis.late = 'kept' }, 1); return found }",
  ),
  keep(
    'a host call that was left behind',
    "(event, ctx) => { const found = globalThis.late ?? 'nothing'; ctx.call('host', 'echo', 'kept').then((v) => { globalThis.late = v }); return found }",
  ),
  keep(
    'a job that was left behind',
    "() => { const found = globalThis.late ?? 'nothing'; Promise.resolve().then(() => { globalThis.late = 'kept' }); queueMicrotask(() => { globalThis.late = 'kept' }); return found }",
  ),
  keep(
    'a FinalizationRegistry',
    "() => { const found = globalThis.late ?? 'nothing'; const r = new FinalizationRegistry(() => { globalThis.late = 'kept' }); for (let i = 0; i < 100; i++) r.register({ i }, i); return found }",
  ),
  keep(
    'a WeakRef',
    "() => { const found = globalThis.ref?.deref() ?? 'nothing'; globalThis.ref = new WeakRef({ toString: () => 'kept' }); return found }",
  ),
  keep(
    'the API it was given',
    "(event, ctx) => { const found = ctx.log.kept ?? ctx.emit.kept ?? 'nothing'; ctx.log.kept = ctx.emit.kept = 'kept'; return found }",
  ),
  keep(
    'the template objects of tagged templates',
    "() => { const tag = (s) => s; const t = (() => tag`x`)(); const found = globalThis.t === t ? 'kept' : 'nothing'; globalThis.t = t; return found }",
  ),
  keep(
    'the last match of a regex',
    "() => { const found = RegExp.$1 ? 'kept' : 'nothing'; /(kept)/.exec('kept'); return found }",
  ),
  keepInModule(
    'the state of Math.random',
    "const seen = Math.random()\nexport default () => { const a = Math.random(), b = Math.random(); return a === b || a === seen ? 'kept' : 'nothing' }",
  ),
]
