import { afterEach, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 2000 })
const { TZ } = process.env
afterEach(() => {
  process.env.TZ = TZ
})

async function run(code: string, event: unknown = null) {
  const result = await runtime.executeHandler(code, { event })
  return result.error ?? result.value
}

it('the time zone of the server does not show', async () => {
  process.env.TZ = 'Asia/Tokyo'
  const value = await run(`export default () => [
    new Date(0).toLocaleString('en-GB'),
    new Intl.DateTimeFormat().resolvedOptions().timeZone,
    new Intl.DateTimeFormat('de', { timeStyle: 'short' }).format(0),
    new Date(0).toLocaleTimeString('xx'),
  ]`)
  expect(value).toEqual(['01/01/1970, 00:00:00', 'UTC', '00:00', '12:00:00 AM'])
})

it('an unknown locale is en-US and not the one of the server', async () => {
  const value = await run(`export default () => [
    new Intl.NumberFormat('xx').resolvedOptions().locale,
    new Intl.Collator().resolvedOptions().locale,
    (1234.5).toLocaleString(),
  ]`)
  expect(value).toEqual(['en-US', 'en-US', '1,234.5'])
})

it('an instance that a module makes while it loads serves each call', async () => {
  const code = `const format = new Intl.NumberFormat('de', { style: 'currency', currency: 'EUR' })
export default (n) => format.format(n)`
  expect(await run(code, 1.5)).toBe('1,50\u00a0€')
  expect(await run(code, 2)).toBe('2,00\u00a0€')
})

it('work that a text makes longer than the call may take is refused before it starts', async () => {
  const started = performance.now()
  const error = await run(`export default () => {
    const text = 'ab '.repeat(1_000_000)
    return [...new Intl.Segmenter('en', { granularity: 'word' }).segment(text)].length
  }`)
  expect(error).toMatchObject({ code: 'RESOURCE_LIMIT' })
  expect(performance.now() - started).toBeLessThan(5000)
})

it.each([
  ['a list of locales without an end', `new Intl.NumberFormat(Array(5000).fill('de'))`],
  ['an option without an end', `new Intl.NumberFormat('de', { currency: 'x'.repeat(1e5) })`],
  [
    'a class that is none',
    `globalThis[Symbol.for('nexus.native')].now('intl.call', 'constructor', '{}')`,
  ],
  [
    'a method that is none',
    `globalThis[Symbol.for('nexus.native')].now('intl.call', 'Collator', '{}', 'constructor', '[]')`,
  ],
  [
    'options that are no object',
    `globalThis[Symbol.for('nexus.native')].now('intl.call', 'Collator', '[]')`,
  ],
  ['text that is no JSON', `globalThis[Symbol.for('nexus.native')].now('intl.date', 'x', 'x', 0)`],
])('%s is an error of the guest', async (_what, expression) => {
  const caught = await run(`export default () => {
    void Intl
    try { return String(${expression}) } catch (error) { return error instanceof Error ? error.name : 'no error' }
  }`)
  expect(['RangeError', 'TypeError', 'SyntaxError']).toContain(caught)
})
