import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { handler, openRuntime } from './runtimes.js'

describe.each([
  ['inline', { threads: 0 }],
  ['on a thread', { threads: 1 }],
])('globals of a call, %s', (_name, options) => {
  const runtime = openRuntime(options)

  const run = async (body: string, globals: Record<string, unknown>) =>
    await runtime.executeHandler(handler(body), { event: null, globals })

  it('gives values of each kind that host functions take', async () => {
    const globals = {
      price: 3,
      big: 2n ** 70n,
      when: new Date(0),
      map: new Map([['a', new Set([1])]]),
      bytes: new Uint8Array([1, 2]),
      nothing: undefined,
      nested: { list: [{ deep: true }] },
    }
    const { value } = await run(
      `return [price, String(big), when.toISOString(), [...map.get('a')], [...bytes], nothing === undefined && 'nothing' in globalThis, nested.list[0].deep]`,
      globals,
    )
    expect(value).toEqual([
      3,
      '1180591620717411303424',
      '1970-01-01T00:00:00.000Z',
      [1],
      [1, 2],
      true,
      true,
    ])
  })

  it('gives functions that answer with a promise, without a capability', async () => {
    const { value } = await run(`return [await lookup(7), await db.users.name('x')]`, {
      lookup: async (id: number) => ({ id, at: new Date(5) }),
      db: { users: { name: (key: string) => key.toUpperCase() }, kind: 'sql' },
    })
    expect(value).toEqual([{ id: 7, at: '1970-01-01T00:00:00.005Z' }, 'X'])
  })

  it('keeps what stands beside a function in an object', async () => {
    const { value } = await run(`return [db.kind, typeof db.find]`, {
      db: { find: () => 1, kind: 'sql' },
    })
    expect(value).toEqual(['sql', 'function'])
  })

  it('checks the input of a function that has a schema', async () => {
    const globals = {
      add: { input: z.object({ n: z.number() }), run: ({ n }: { n: number }) => n + 1 },
    }
    expect((await run(`return await add({ n: 1 })`, globals)).value).toBe(2)
    const { error } = await run(`return await add({ n: 'one' })`, globals)
    expect(error?.message).toMatch(/add: input\.n:/)
  })

  it('tells the handler what a function threw, and where it was called', async () => {
    const { error } = await run(`return await fails()`, {
      fails: () => {
        throw new RangeError('sold out')
      },
    })
    expect(error).toMatchObject({ name: 'RangeError', message: 'sold out', location: { line: 1 } })
  })

  it('leaves nothing to the next call', async () => {
    await run(`return 1`, { secretValue: 1, lookup: () => 1 })
    const { value } = await run(`return [typeof secretValue, typeof lookup]`, {})
    expect(value).toEqual(['undefined', 'undefined'])
  })

  it('keeps the functions of one call from another', async () => {
    const { error } = await runtime.executeHandler(handler(`return await ctx.call('', 'lookup')`), {
      event: null,
      globals: { other: () => 1 },
    })
    expect(error?.message).toBe('This call was given no function of the name lookup')
  })

  it('counts calls of given functions as host calls', async () => {
    const { error } = await runtime.executeHandler(
      handler(`for (let i = 0; i < 10; i++) await lookup()`),
      { event: null, globals: { lookup: () => 1 } },
      { maxHostCalls: 5 },
    )
    expect(error?.code).toBe('RESOURCE_LIMIT')
  })

  it('may replace what the sandbox has', async () => {
    const { value } = await run(`return await fetch('x')`, { fetch: (url: string) => `got ${url}` })
    expect(value).toBe('got x')
  })

  it.each([
    ['undefined', { undefined: 1 }, /globals\.undefined: the language keeps this name/],
    ['__proto__', JSON.parse('{ "__proto__": 1 }'), /globals\.__proto__/],
    [
      'two functions of one path',
      { 'a.b': () => 1, a: { b: () => 2 } },
      /globals\.a\.b: there are two/,
    ],
    ['a symbol', { mark: Symbol('x') }, /globals: /],
    ['a function where none is looked for', { list: [() => 1] }, /globals: /],
  ])('refuses %s', async (_what, globals, message) => {
    await expect(run('return 1', globals)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(message),
    })
  })

  it('shows values of globals whose getters throw as wrong options', async () => {
    const globals = {
      get broken(): never {
        throw new Error('no')
      },
    }
    await expect(run('return 1', globals)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
  })
})
