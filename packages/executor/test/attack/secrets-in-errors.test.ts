import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const letters = (count: number, seed: number) =>
  Array.from({ length: count }, (_, n) => ((n * 7919 + seed) % 36).toString(36)).join('')

/** Values that errors show in pieces: longer than what the engine shows of a name, and with characters that are not ASCII. */
const SECRETS = {
  'of 600 characters': letters(600, 5),
  'that is not ASCII': `\u00e9${letters(90, 3)}\u00fc`,
  'of several lines': [letters(40, 1), letters(64, 2), letters(64, 9), letters(24, 4)].join('\n'),
}

/** Expressions that fail, or print, and show the value `S` or a piece of it. */
const PROGRAMS = [
  'null[S]',
  'undefined[S]()',
  '({})[S].x',
  '({})[S]()',
  'const { [S]: { a } } = {}',
  'Object.freeze({ [S]: 1 })[S] = 2',
  'Object.defineProperty(Object.freeze({}), S, { value: 1 })',
  'setTimeout(() => null[S]); await new Promise(() => {})',
  'try { null[S] } catch (e) { ctx.log.error(e.message, { e }); console.error(e); throw new Error(e.message) }',
  'JSON.parse(S)',
  "JSON.parse('[1,' + JSON.stringify(S) + ']x')",
  'await import(S)',
  'BigInt(S)',
  'new Function(S.replace(/\\n/g, ""))',
  "new Intl.NumberFormat('en', { style: 'currency', currency: S })",
  "new Intl.DateTimeFormat('en', { timeZone: S })",
  'new Intl.Locale(S)',
  'new URL(S)',
  "new URL('http://h:' + S)",
  'new Headers({ [S]: S })',
  "await fetch('http://127.0.0.1:9/' + S)",
  "await fetch('http://' + S)",
  "new Request('http://h/', { method: S })",
  "new Response('x', { statusText: S + '\\n' })",
  'new TextDecoder(S)',
  'structuredClone({ [S]: () => 1 })',
  'structuredClone(Symbol(S))',
  'throw new DOMException(S, S)',
  'crypto.getRandomValues(S)',
  'await crypto.subtle.digest(S, new Uint8Array(1))',
  "await crypto.subtle.importKey('raw', new Uint8Array(16), S, true, [])",
  "await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: S }, true, ['sign'])",
  'await ctx.emit(S, 1)',
  "await ctx.emit('a', 1, { [S]: 1 })",
  "await ctx.emit('a', 1, { time: S })",
  "await ctx.emit('a', { [S]: 1n })",
  "await ctx.call(S, 'x')",
  "await ctx.call('host', S)",
  "await ctx.call('host', 'fail', S)",
  "await ctx.call('host', 'checked', { [S]: S })",
  "await ctx.call('host', 'checked', { a: { [S]: Symbol(S) } })",
  'await ctx.invoke(S, 1)',
  'ctx.secrets[S].x',
  ...[
    'return deep',
    "ctx.log.info('x', deep)",
    'console.log(deep)',
    "await ctx.emit('a', deep)",
  ].map((use) => `let deep = 1; for (let i = 0; i < 300; i++) deep = { [S]: deep }; ${use}`),
  "const f = Object.defineProperty(() => null.x, 'name', { value: S }); f()",
  'throw Object.create(null, { message: { value: S } })',
  'throw new AggregateError([new Error(S)], S)',
  "console.log('%s %o %j', S, { [S]: [S] }, new Map([[S, new Set([S])]]))",
  'console.table([{ [S]: S }])',
  'console.log(new Error("x", { cause: S }), Symbol(S), class { static name = S })',
  "for (const line of S.split('\\n')) console.log('>', line)",
]

/** The longest piece of the value in a text, if it has 16 characters or more. */
function leakOf(text: string, secret: string): string | undefined {
  for (let at = 0; at + 16 <= secret.length; at++) {
    const piece = secret.slice(at, at + 16)
    if (!piece.includes('\n') && text.includes(piece)) return piece
  }
  return undefined
}

describe.each(Object.entries(SECRETS))('no error and no log shows a secret %s', (_what, secret) => {
  const runtime = openRuntime({ threads: 0 })
  const input = {
    safeParse: (value: unknown) => ({
      success: false,
      error: { issues: [{ message: String(Object.keys(Object(value))), path: [secret] }] },
    }),
  }
  runtime.extend('host', {
    fail: (text: string) => {
      throw new Error(`bad ${text}`, { cause: new Error(text) })
    },
    checked: { input, run: () => 1 },
  })

  it.each(PROGRAMS)('%s', async (program) => {
    const { logs, error } = await runtime.executeHandler(
      `export default async (event, ctx) => { const { S } = ctx.secrets; ${program} }`,
      {
        event: null,
        secrets: { S: secret },
        capabilities: ['events:emit:>', 'ext:host', 'net:127.0.0.1:9', 'fn:invoke:*'],
      },
    )
    expect(leakOf(JSON.stringify([logs, error]), secret)).toBeUndefined()
  })
})
