import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

class QuotaError extends Error {
  override readonly name = 'QuotaError'
  readonly code = 'QUOTA'
}

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('an extension %s', (_, runtime) => {
  runtime.extend('db', {
    add: (a: number, b: number) => a + b,
    later: async (value: unknown) => value,
    nothing: () => undefined,
    fail: () => {
      throw new QuotaError('over quota')
    },
  })
  const run = (body: string, capabilities = ['ext:db']) =>
    runtime.executeHandler(handler(body), { event: 1, capabilities })

  it('is called with values and answers with values', async () => {
    const { value } = await run(`return Promise.all([
      ctx.call('db', 'add', 1, 2), ctx.call('db', 'later', { a: [1] }), ctx.call('db', 'nothing')])`)
    expect(value).toEqual([3, { a: [1] }, null])
  })

  it('fails in the guest with name, message and code, and without a host path', async () => {
    const { value } = await run(
      `try { await ctx.call('db', 'fail') } catch (e) { return [e.name, e.message, e.code, e instanceof Error, e.stack] }`,
    )
    expect(value).toMatchObject(['QuotaError', 'over quota', 'QUOTA', true, expect.any(String)])
    expect(JSON.stringify(value)).not.toContain('extensions.test')
  })

  it('needs its capability', async () => {
    const { error } = await run(`return ctx.call('db', 'add', 1, 2)`, [])
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED', retryable: false })
    expect(error?.message).toContain('ext:db')
  })

  it('that does not exist says what does', async () => {
    expect((await run(`return ctx.call('db', 'drop')`)).error?.message).toContain(
      'There is no method drop in the extension db; there is add, later, nothing, fail',
    )
    expect((await run(`return ctx.call('fs', 'read')`, ['ext:fs'])).error?.message).toContain(
      'There is no extension fs; there is db',
    )
  })

  it('is not reached through names that every object has', async () => {
    expect((await run(`return ctx.call('db', 'constructor')`)).error?.message).toContain(
      'no method',
    )
    expect(
      (await run(`return ctx.call('__proto__', 'toString')`, ['ext:>'])).error?.message,
    ).toContain('no extension')
  })
})

it('cannot be registered twice or under a name that is none', () => {
  const runtime = openRuntime({ threads: 0 }).extend('a', {})
  expect(() => runtime.extend('a', {})).toThrow(/already/)
  expect(() => runtime.extend('a.b', {})).toThrow(/a\.b/)
  expect(() => runtime.extend('b', { x: 1 as unknown as () => void })).toThrow(/b\.x/)
})
