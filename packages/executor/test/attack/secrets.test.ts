import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const secrets = { API_KEY: 'k3y-"with"-quotes', SHORT: 'abc', LONGER: 'k3y-"with"-quotes-and-more' }

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('secrets %s', (_, runtime) => {
  const run = (body: string, given: Record<string, string> | undefined = secrets) =>
    runtime.executeHandler(handler(body), { event: null, secrets: given, env: { A: '1' } })

  it('are what was given, and nothing when nothing was', async () => {
    expect((await run('return [ctx.secrets, ctx.env]')).value).toEqual([secrets, { A: '1' }])
    const { value } = await runtime.executeHandler(handler('return [ctx.secrets, ctx.env]'), {
      event: null,
    })
    expect(value).toEqual([{}, {}])
  })

  it('do not outlive their call', async () => {
    const code = handler('globalThis.kept ??= ctx.secrets; return globalThis.kept')
    await runtime.executeHandler(code, { event: null, secrets })
    expect((await runtime.executeHandler(code, { event: null })).value).toEqual({})
  })

  it('are taken out of log lines, their fields and their keys', async () => {
    const { logs } = await run(`const { API_KEY, LONGER, SHORT } = ctx.secrets
      ctx.log.info('key ' + API_KEY + ' and ' + LONGER, { deep: [{ [API_KEY]: 'x' + API_KEY }], n: 1, none: null })
      console.log(API_KEY, { API_KEY }, SHORT)`)
    expect(logs[0]).toMatchObject({
      message: 'key [secret API_KEY] and [secret LONGER]',
      fields: { deep: [{ '[secret API_KEY]': 'x[secret API_KEY]' }], n: 1, none: null },
    })
    expect(logs[1]?.message).toContain('[secret API_KEY]')
    expect(logs[1]?.message).toContain('abc')
    expect(JSON.stringify(logs)).not.toContain('k3y')
  })

  it('leave a log within its limit, also where what stands for them is longer', async () => {
    const limits = { maxLogBytes: 1_000 }
    const context = { event: null, secrets: { A_RATHER_LONG_NAME: 'abcd' } }
    const bytesOf = (logs: readonly { message: string }[]) =>
      logs.reduce((sum, { message }) => sum + message.length + 1, 0)
    const logged = async (lines: number, text: string) => {
      const code = handler(
        `for (let i = 0; i < ${lines}; i++) ctx.log.info(${JSON.stringify(text)})`,
      )
      return (await runtime.executeHandler(code, context, limits)).logs
    }
    const cut = await logged(100, 'abcd abcd')
    expect(cut.at(-1)?.message).toContain('reached its limit of 1000 bytes')
    expect(bytesOf(cut.slice(0, -1))).toBeGreaterThan(900)
    expect(bytesOf(cut.slice(0, -1))).toBeLessThanOrEqual(1_000)
    // A log that is full by itself keeps every line that fitted, and its one notice.
    const full = await logged(101, 'no secret')
    expect(full.map(({ message }) => message === 'no secret')).toEqual([
      ...Array(100).fill(true),
      false,
    ])
  })

  it('are taken out of errors', async () => {
    const { error } = await run(
      `throw new Error('failed with ' + ctx.secrets.API_KEY, { cause: new Error(ctx.secrets.API_KEY) })`,
    )
    expect(error).toMatchObject({
      message: 'failed with [secret API_KEY]',
      cause: { message: '[secret API_KEY]' },
    })
    expect(JSON.stringify(error)).not.toContain('k3y')
  })
})
