import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

it.each([0, 1])(
  'a host function gets a text of any length and script as it was, with %i threads',
  async (threads) => {
    const runtime = openRuntime({ threads })
    runtime.extend('host', { echo: (...values: unknown[]) => values })
    const code = `export default async (event, ctx) => {
      const texts = ['', 'é', 'x'.repeat(4095), 'ü'.repeat(4096), '\\u{1F600}'.repeat(50_000), '\\ud800'.repeat(9_000), '\\ufeff'.repeat(5_000)]
      const answers = await Promise.all(texts.map((text) => ctx.call('host', 'echo', text, { text })))
      return answers.map(([text, same], i) => text === texts[i] && same.text === texts[i])
    }`
    const { value, error } = await runtime.executeHandler(code, {
      event: null,
      capabilities: ['ext:host'],
    })
    expect(error).toBeUndefined()
    expect(value).toEqual(Array(7).fill(true))
  },
)
