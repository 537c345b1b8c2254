import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

/** What each door says of where a value is, and a handler that puts `value` through it. */
const DOORS = [
  ['a result', 'return value', /^result\.v/],
  ['a result, later', 'await null; return value', /^result\.v/],
  ['a log field', 'ctx.log.info("x", value)', /^fields\.v/],
  ['emitted data', 'await ctx.emit("a.b", value)', /^data\.v/],
  ['an attribute', 'await ctx.emit("a.b", 1, value)', /^attributes\.v/],
  ['an argument', 'await ctx.call("host", "take", value)', /^host\.take\[0\]\.v/],
] as const

const nested = (levels: number) =>
  `let value = {}; for (let i = 1; i < ${levels}; i++) value = { v: value }`

// Node gives its main thread a stack on which the engine's own JSON cannot recurse as far as on a thread of ours.
describe.each([
  ['inline', openRuntime({ threads: 0 }), [257, 5_000]],
  ['on threads', openRuntime({ threads: 1 }), [257, 5_000, 30_000]],
])('a value that is nested too deep, %s,', (mode, runtime, depths) => {
  const taken: unknown[] = []
  runtime.extend('host', {
    take: (value: unknown) => void taken.push(value),
    give: (levels: number) => {
      let value: unknown = {}
      for (let i = 1; i < levels; i++) value = { v: value }
      return value
    },
  })
  const run = (body: string) =>
    runtime.executeHandler(
      handler(body),
      { event: null, capabilities: ['events:emit:>', 'ext:host'] },
      60_000,
    )

  // Arguments stand in a list, which is a level.
  // An attribute is no object at all.
  const deepDoors = DOORS.filter(([door]) => door !== 'an attribute')
  it.each(deepDoors)('may be of 256 levels in all: %s', async (door, body) => {
    const result = await run(`${nested(door === 'an argument' ? 255 : 256)}; ${body}`)
    expect(result.error).toBeUndefined()
  })

  it.each(
    DOORS.flatMap(([door, body, path]) =>
      depths
        // 5,000 levels are more bytes than attributes may have.
        .filter((levels) => door !== 'an attribute' || levels !== 5_000)
        .map((levels) => [levels, door, body, path] as const),
    ),
  )('of %i levels is RESOURCE_LIMIT with its path: %s', async (levels, _door, body, path) => {
    const { error, metrics } = await run(`${nested(levels)}; ${body}`)
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', name: 'RangeError', retryable: false })
    expect(error?.message).toMatch(path)
    expect(error?.message).toContain('is nested deeper than 256 levels')
    expect(metrics.durationUs).toBeGreaterThan(0)
    expect(taken.length).toBeLessThanOrEqual(1)
  })

  it('is an error that the handler may catch, and what it logged before is there', async () => {
    const { value, logs } = await run(
      `ctx.log.info('first'); ${nested(300)}
       try { ctx.log.info('deep', value) } catch (e) { return [e.code, e instanceof RangeError] }`,
    )
    expect(value).toEqual(['RESOURCE_LIMIT', true])
    expect(logs.map(({ message }) => message)).toEqual(['first'])
  })

  it('is found where many ways lead', async () => {
    const { error } = await run(
      'let value = [1]; for (let i = 0; i < 300; i++) value = [value, value]; await ctx.call("host", "take", value)',
    )
    expect(error?.code).toBe('RESOURCE_LIMIT')
  })

  it.skipIf(mode === 'inline')('is found behind toJSON that has no end', async () => {
    const chained = await run(
      'const chain = (n) => ({ toJSON: () => ({ next: chain(n + 1) }) }); return chain(0)',
    )
    expect(chained.error).toMatchObject({
      code: 'RESOURCE_LIMIT',
      message: expect.stringMatching(/^result\.next\.next/),
    })
  })

  it('is found where a short way leads to a long one', async () => {
    const body = `const all = [[]]; for (let i = 1; i < 1000; i++) all[i] = [all[i - 1]]
      all.reverse(); await ctx.call("host", "take", all, new Map())`
    expect((await run(body)).error?.code).toBe('RESOURCE_LIMIT')
  })

  it('is refused as the answer of a host function as well', async () => {
    expect((await run('return (await ctx.call("host", "give", 256)).v !== undefined')).value).toBe(
      true,
    )
    expect((await run('await ctx.call("host", "give", 257)')).error).toMatchObject({
      code: 'RESOURCE_LIMIT',
      message: expect.stringMatching(/^the result of host\.give\.v\.v/),
    })
  })

  it('is refused as an event that JSON cannot turn into text', async () => {
    let event: unknown = {}
    for (let i = 1; i < 100_000; i++) event = { v: event }
    const { error } = await runtime.executeHandler(handler('return 1'), { event })
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', retryable: false })
    expect(error?.message).toMatch(/^event\.v\.v/)
  })
})
