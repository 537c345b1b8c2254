import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { handler, openRuntime } from './runtimes.js'

class QuotaError extends Error {
  override readonly name = 'QuotaError'
  readonly code = 'QUOTA'
}

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('a host function %s', (_, runtime) => {
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
    expect(JSON.stringify(value)).not.toContain('host-functions.test')
  })

  it('needs its capability', async () => {
    const { error } = await run(`return ctx.call('db', 'add', 1, 2)`, [])
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED', retryable: false })
    expect(error?.message).toContain('ext:db')
  })

  it('that does not exist says what does', async () => {
    expect((await run(`return ctx.call('db', 'drop')`)).error?.message).toContain(
      'There is no method drop in the host functions db; there is add, later, nothing, fail',
    )
    expect((await run(`return ctx.call('fs', 'read')`, ['ext:fs'])).error?.message).toContain(
      'There is no host function of the name fs; there is db',
    )
  })

  it('is not reached through names that every object has', async () => {
    expect((await run(`return ctx.call('db', 'constructor')`)).error?.message).toContain(
      'no method',
    )
    expect(
      (await run(`return ctx.call('__proto__', 'toString')`, ['ext:>'])).error?.message,
    ).toContain('no host function')
  })
})

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('values that JSON has no form for %s', (_, runtime) => {
  const received: unknown[][] = []
  const cyclic: Record<string, unknown> = { when: new Date(5) }
  cyclic.self = cyclic
  runtime.extend('host', {
    take: (...values: unknown[]) => {
      received.push(values)
    },
    give: () => [new Map([['k', 1n]]), new Set([undefined]), new Uint8Array([1, 255]), cyclic],
    giveError: () => new TypeError('a value', { cause: new Error('inner') }),
    throwing: () => {
      throw new TypeError('thrown', { cause: new Error(`in ${process.cwd()}/secret.js`) })
    },
    giveFunction: () => ({ rows: [{ run: () => 1 }] }),
    giveClass: () =>
      new (class Row {
        id = 1
      })(),
  })
  const run = (body: string) =>
    runtime.executeHandler(handler(body), { event: null, capabilities: ['ext:host'] })

  it('reach the host', async () => {
    const { error } = await run(`const cyclic = { n: -0 }; cyclic.self = cyclic
      await ctx.call('host', 'take', new Map([[{ a: 1 }, 2n]]), new Set([NaN]), new Date(7), new Uint8Array([3]), undefined, cyclic,
        new RangeError('of the guest', { cause: 'why' }))`)
    expect(error).toBeUndefined()
    const [map, set, date, bytes, nothing, cycle, failure] = received.pop()!
    expect(map).toEqual(new Map([[{ a: 1 }, 2n]]))
    expect(set).toEqual(new Set([Number.NaN]))
    expect(date).toEqual(new Date(7))
    expect(bytes).toEqual(new Uint8Array([3]))
    expect(nothing).toBeUndefined()
    expect((cycle as { self: unknown }).self).toBe(cycle)
    expect(failure).toBeInstanceOf(RangeError)
    expect(failure).toMatchObject({ message: 'of the guest', cause: 'why' })
  })

  it('reach the guest', async () => {
    const { value } = await run(`const [map, set, bytes, cyclic] = await ctx.call('host', 'give')
      return [map instanceof Map, map.get('k') === 1n, set.has(undefined), bytes instanceof Uint8Array, [...bytes],
        cyclic.self === cyclic, cyclic.when.getTime(), await ctx.call('host', 'giveClass'), await ctx.call('host', 'take') === undefined]`)
    expect(value).toEqual([true, true, true, true, [1, 255], true, 5, { id: 1 }, true])
  })

  it('include errors, which come with their cause', async () => {
    const { value } = await run(`const e = await ctx.call('host', 'giveError')
      return [e instanceof TypeError, e.message, e.cause.message]`)
    expect(value).toEqual([true, 'a value', 'inner'])
  })

  it('that cannot cross are refused with their path, on either side', async () => {
    expect((await run(`await ctx.call('host', 'take', 1, { on: [() => 1] })`)).error).toMatchObject(
      {
        name: 'TypeError',
        message: 'host.take[1].on[0] is a function, which cannot cross between guest and host',
      },
    )
    expect((await run(`await ctx.call('host', 'giveFunction')`)).error?.message).toBe(
      'the result of host.giveFunction.rows[0].run is a function, which cannot cross between guest and host',
    )
  })

  it('a host error has the stack of the call in the handler, and no path of the host', async () => {
    const result = await run(`
      try { await ctx.call('host', 'throwing') } catch (e) { ctx.log.info('caught', [e.stack, e.cause.message, e instanceof TypeError]); throw e }`)
    expect(result.error).toMatchObject({
      name: 'TypeError',
      message: 'thrown',
      location: { line: 2 },
    })
    const [stack, cause, isTypeError] = result.logs[0]!.fields as [string, string, boolean]
    expect(stack).toContain('handler.js:2')
    expect(cause).toBe('in (a path of the host)')
    expect(isTypeError).toBe(true)
    expect(JSON.stringify(result)).not.toContain(process.cwd())
  })
})

describe('a method with a schema', () => {
  const ran: unknown[] = []
  const runtime = openRuntime({ threads: 0 }).extend('db', {
    query: {
      input: z.object({ sql: z.string(), limit: z.number().int().default(10) }),
      run: ({ sql, limit }) => {
        ran.push([sql.toUpperCase(), limit + 1])
        return sql.length
      },
    },
    later: { input: z.string().refine(async (text) => text !== 'no'), run: (text) => text.length },
    old: {
      input: {
        safeParse: (value: unknown) =>
          value === 1
            ? { success: true, data: 2 }
            : { success: false, error: { issues: [{ message: 'expected 1', path: ['a', 0] }] } },
      },
      run: (value: unknown) => value,
    },
    plain: (a: number, b: number) => a + b,
  })
  const run = (body: string) =>
    runtime.executeHandler(handler(body), { event: null, capabilities: ['ext:db'] })

  it('gets what the schema made of its argument', async () => {
    expect((await run(`return ctx.call('db', 'query', { sql: 'select' })`)).value).toBe(6)
    expect(ran.pop()).toEqual(['SELECT', 11])
    expect(
      (
        await run(
          `return Promise.all([ctx.call('db', 'later', 'yes'), ctx.call('db', 'old', 1), ctx.call('db', 'plain', 1, 2)])`,
        )
      ).value,
    ).toEqual([3, 2, 3])
  })

  it('does not run with a wrong argument: the guest is told which and where', async () => {
    ran.length = 0
    expect(
      (await run(`return ctx.call('db', 'query', { sql: 1, limit: 1.5 })`)).error,
    ).toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(/^db\.query: input\.sql: .*string.*; input\.limit: .*int/),
    })
    expect((await run(`return ctx.call('db', 'query')`)).error?.message).toMatch(
      /^db\.query: input: /,
    )
    expect((await run(`return ctx.call('db', 'query', { sql: '' }, 2)`)).error?.message).toBe(
      'db.query takes one argument, got 2',
    )
    expect((await run(`return ctx.call('db', 'later', 'no')`)).error?.message).toMatch(
      /^db\.later: input: /,
    )
    expect((await run(`return ctx.call('db', 'old', 5)`)).error?.message).toBe(
      'db.old: input.a.0: expected 1',
    )
    expect(ran).toEqual([])
  })
})

it('cannot be registered twice or under a name that is none', () => {
  const runtime = openRuntime({ threads: 0 }).extend('a', {})
  expect(() => runtime.extend('a', {})).toThrow(/already/)
  expect(() => runtime.extend('a.b', {})).toThrow(/a\.b/)
  expect(() => runtime.extend('b', { x: 1 as unknown as () => void })).toThrow(/b\.x/)
})
