import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

const inline = openRuntime({ threads: 0 })
const threaded = openRuntime({ threads: 2 })

describe.each([
  ['inline', inline],
  ['on threads', threaded],
])('a handler %s', (_, runtime) => {
  it('is called with the event and gives its result', async () => {
    const result = await runtime.executeHandler('export default (event) => event.n * 2', {
      event: { n: 21 },
    })
    expect(result).toMatchObject({ status: 'success', value: 42, events: [], logs: [] })
  })

  it('may be async and may return nothing', async () => {
    expect(await runtime.executeHandler(handler('return event'), { event: 'x' })).toMatchObject({
      status: 'success',
      value: 'x',
    })
    const nothing = await runtime.executeHandler('export default () => {}', { event: 1 })
    expect(nothing.status).toBe('success')
    expect('value' in nothing).toBe(false)
  })

  it('sees undefined as null, and every JSON value as it is', async () => {
    for (const event of [null, true, 0, -1.5, 'é😀', [1, [2]], { a: { b: null } }]) {
      expect((await runtime.executeHandler(handler('return event'), { event })).value).toEqual(
        event,
      )
    }
    expect(
      (await runtime.executeHandler(handler('return event'), { event: undefined })).value,
    ).toBeNull()
  })

  it('sees its name, the attempt, its environment and its deadline', async () => {
    const { value } = await runtime.executeHandler(
      handler('return { ...ctx, log: undefined, left: ctx.deadline - Date.now() }'),
      { event: 1, functionName: 'f', attempt: 3, env: { REGION: 'eu' } },
      2000,
    )
    expect(value).toMatchObject({ functionName: 'f', attempt: 3, env: { REGION: 'eu' } })
    expect((value as { left: number }).left).toBeGreaterThan(0)
    expect((value as { left: number }).left).toBeLessThanOrEqual(2000)
  })

  it('logs lines with level, time and fields, and through console', async () => {
    const { logs } = await runtime.executeHandler(
      handler(
        'ctx.log.info("one", { n: 1 }); console.warn("two", { a: [1] }, 3); ctx.log.error(Symbol("s"))',
      ),
      { event: 1 },
    )
    expect(logs).toMatchObject([
      { level: 'info', message: 'one', fields: { n: 1 } },
      { level: 'warn', message: 'two { a: [ 1 ] } 3' },
      { level: 'error', message: 'Symbol(s)' },
    ])
    expect(logs[0]?.time).toBeGreaterThan(Date.now() - 60_000)
  })

  it('keeps its logs when it throws', async () => {
    const { status, logs } = await runtime.executeHandler(
      handler('ctx.log.info("before"); throw new Error("bad")'),
      { event: 1 },
    )
    expect(status).toBe('error')
    expect(logs).toHaveLength(1)
  })

  it('emits events in order, with attributes', async () => {
    const { events } = await runtime.executeHandler(
      handler('await ctx.emit("a.one", { n: 1 }); ctx.emit("a.two", undefined, { subject: "s" })'),
      { event: 1, capabilities: ['events:emit:a.*'] },
    )
    expect(events).toEqual([
      { type: 'a.one', data: { n: 1 } },
      { type: 'a.two', data: null, attributes: { subject: 's' } },
    ])
  })

  it('emits nothing when it fails', async () => {
    const { events } = await runtime.executeHandler(
      handler('await ctx.emit("a.one", 1); throw new Error("bad")'),
      { event: 1, capabilities: ['events:emit:a.one'] },
    )
    expect(events).toEqual([])
  })

  it('awaits several timers at once', async () => {
    const { value } = await runtime.executeHandler(
      handler(`
        const after = (ms, v) => new Promise((resolve) => setTimeout(resolve, ms, v))
        return Promise.all([after(20, 'a'), after(1, 'b'), after(10, 'c')])`),
      { event: 1 },
    )
    expect(value).toEqual(['a', 'b', 'c'])
  })

  it('can clear a timer and count an interval', async () => {
    const { value } = await runtime.executeHandler(
      handler(`
        let ticks = 0
        const cleared = setTimeout(() => { ticks = 100 }, 1)
        clearTimeout(cleared)
        await new Promise((resolve) => { const id = setInterval(() => { if (++ticks === 3) { clearInterval(id); resolve() } }, 1) })
        return ticks`),
      { event: 1 },
    )
    expect(value).toBe(3)
  })

  it('tells what the call cost', async () => {
    const code = handler('await ctx.emit("a", 1); return "x".repeat(1000)')
    const context = { event: 1, capabilities: ['events:emit:a'] }
    const first = await runtime.executeHandler(code, context)
    const second = await runtime.executeHandler(code, context)
    expect(first.metrics).toMatchObject({ cacheHit: false, cacheTier: 'none', hostCalls: 1 })
    expect(first.metrics.compileTimeUs).toBeGreaterThan(0)
    expect(second.metrics).toMatchObject({ cacheHit: true, cacheTier: 'memory' })
    expect(second.metrics.durationUs).toBeGreaterThan(0)
    expect(second.metrics.queueWaitUs).toBeGreaterThanOrEqual(0)
    expect(second.metrics.memoryUsedBytes).toBeGreaterThan(50_000)
    expect(second.metrics.memoryPeakBytes).toBeGreaterThanOrEqual(second.metrics.memoryUsedBytes)
  })

  it('runs from bytecode alone', async () => {
    const { bytecode } = await runtime.precompileHandler('export default (event) => event + 1')
    expect(await runtime.executeCompiledHandler(bytecode, { event: 1 })).toMatchObject({ value: 2 })
  })

  it('runs many times at once, each call with its own event', async () => {
    const compiled = await runtime.precompileHandler(
      handler('await new Promise((r) => setTimeout(r, event % 7)); return event * 2'),
    )
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, n) => runtime.executeCompiledHandler(compiled, { event: n })),
    )
    expect(results.map(({ value }) => value)).toEqual(Array.from({ length: 200 }, (_, n) => n * 2))
  })
})

describe('arguments', () => {
  it('that cannot be JSON are refused with the reason', async () => {
    const event: Record<string, unknown> = {}
    event.self = event
    await expect(inline.executeHandler(handler(''), { event })).rejects.toThrow(
      /context.event cannot be turned into JSON.*circular/s,
    )
  })

  it('of a call that are wrong are refused by name', async () => {
    const call = (options: object) => inline.executeHandler(handler(''), { event: 1 }, options)
    await expect(call({ timeoutMs: 0 })).rejects.toThrow(/timeoutMs/)
    await expect(call({ memoryLimitBytes: 1000 })).rejects.toThrow(/memoryLimitBytes/)
    await expect(call({ timeout: 5 })).rejects.toThrow(/timeout/)
    expect(() => openRuntime({ isolation: 'open' as 'shared' })).toThrow(/isolation/)
  })

  it('come from HANDLER_TIMEOUT_MS when the time limit is not given', () => {
    process.env.HANDLER_TIMEOUT_MS = '1234'
    try {
      expect(openRuntime({ threads: 0 }).getStats().limits.timeoutMs).toBe(1234)
      expect(openRuntime({ threads: 0, timeoutMs: 5 }).getStats().limits.timeoutMs).toBe(5)
      process.env.HANDLER_TIMEOUT_MS = 'soon'
      expect(() => openRuntime({ threads: 0 })).toThrow(/timeoutMs/)
    } finally {
      delete process.env.HANDLER_TIMEOUT_MS
    }
  })
})

describe('after shutdown', () => {
  it('a call is refused, and one under way has finished', async () => {
    const runtime = openRuntime({ threads: 1 })
    const pending = runtime.executeHandler(
      handler('await new Promise((r) => setTimeout(r, 50)); return "done"'),
      { event: 1 },
    )
    await runtime.executeHandler(handler(''), { event: 1 })
    await runtime.shutdown()
    expect((await pending).value).toBe('done')
    await expect(runtime.executeHandler(handler(''), { event: 1 })).rejects.toMatchObject({
      code: 'SHUT_DOWN',
    })
  })
})
