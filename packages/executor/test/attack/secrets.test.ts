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
