import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 2 })],
])('%s', (_, runtime) => {
  const run = (body: string, options: object, capabilities: string[] = []) =>
    runtime.executeHandler(handler(body), { event: 1, capabilities }, options)

  it.each([
    ['a loop', 'for (;;) {}'],
    ['promise jobs that queue each other', 'for (;;) await 0'],
    ['a timer that comes too late', 'await new Promise((r) => setTimeout(r, 1e6))'],
    ['a loop after an await', 'await new Promise((r) => setTimeout(r, 1)); for (;;) {}'],
    ['a loop in a timer', 'await new Promise(() => setTimeout(() => { for (;;) {} }, 1))'],
    ['a loop that catches everything', 'for (;;) { try { for (;;) {} } catch {} }'],
  ])('%s ends in TIMEOUT', async (_name, body) => {
    const { status, error } = await run(body, { timeoutMs: 50 })
    expect(status).toBe('error')
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true })
    expect(error?.message).toContain('50 ms')
  })

  it('an answer that comes after the time is over is not given to the handler', async () => {
    let isBlocked = true
    runtime.extend('slow', {
      // Neither timers nor other answers have a turn meanwhile.
      block: () => {
        for (const end = performance.now() + (isBlocked ? 300 : 0); performance.now() < end; );
        return 1
      },
    })
    const ask = (timeoutMs: number) =>
      run('return await ctx.call("slow", "block")', { timeoutMs }, ['ext:slow'])
    expect((await ask(200)).error?.code).toBe('TIMEOUT')
    isBlocked = false
    expect(await ask(20_000)).toMatchObject({ value: 1 })
  })

  it('a promise that nothing can settle ends at once, and says so', async () => {
    const { error } = await run('await new Promise(() => {})', { timeoutMs: 60_000 })
    expect(error).toMatchObject({ code: 'EXECUTION_ERROR' })
    expect(error?.message).toMatch(/can never settle/)
  })

  it.each([
    ['objects', 'const a = []; for (;;) a.push({})'],
    ['strings', 'const a = []; for (;;) a.push("x".repeat(1e5) + a.length)'],
    ['array buffers', 'const a = []; for (;;) a.push(new ArrayBuffer(1e6))'],
    ['objects after an await', 'await 0; const a = []; for (;;) a.push({})'],
  ])('too much memory in %s ends in MEMORY_LIMIT', async (_n, body) => {
    const { error } = await run(body, { memoryLimitBytes: 4 * 1024 * 1024, timeoutMs: 20_000 })
    expect(error?.code).toBe('MEMORY_LIMIT')
  })

  it('needs no more than its memory limit allows, and fails with less', async () => {
    const body = 'return new Uint8Array(6e6).length'
    expect(await run(body, { memoryLimitBytes: 8 * 1024 * 1024 })).toMatchObject({ value: 6e6 })
    const { error } = await run(body, { memoryLimitBytes: 5 * 1024 * 1024 })
    expect(error?.code).toBe('MEMORY_LIMIT')
  })

  it('deep recursion ends in STACK_OVERFLOW, which the handler may catch', async () => {
    const { error } = await run('const f = () => f() + 1; return f()', {})
    expect(error?.code).toBe('STACK_OVERFLOW')
    expect(
      await run('const f = () => f() + 1; try { return f() } catch (e) { return e.name }', {}),
    ).toMatchObject({ value: 'RangeError' })
  })

  it('the result may be exactly as large as its limit', async () => {
    const body = 'return "x".repeat(98)'
    expect((await run(body, { maxResultBytes: 100 })).status).toBe('success')
    expect((await run(body, { maxResultBytes: 99 })).error).toMatchObject({
      code: 'RESOURCE_LIMIT',
      retryable: false,
    })
  })

  it('host calls are allowed up to their limit', async () => {
    const body = 'for (let i = 0; i < 3; i++) await ctx.emit("a", i)'
    expect((await run(body, { maxHostCalls: 3 }, ['events:emit:a'])).status).toBe('success')
    const { error } = await run(body, { maxHostCalls: 2 }, ['events:emit:a'])
    expect(error?.code).toBe('RESOURCE_LIMIT')
  })

  it('the log is cut at its limit with a notice, and the call goes on', async () => {
    const { status, logs } = await run(
      'for (let i = 0; i < 10; i++) ctx.log.info("x".repeat(10)); return 1',
      { maxLogBytes: 35 },
    )
    expect(status).toBe('success')
    expect(logs).toHaveLength(4)
    expect(logs.at(-1)).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('35 bytes'),
    })
  })
})

describe('a native loop, which no interrupt reaches,', () => {
  const runtime = openRuntime({ threads: 2 })

  it.each([
    ['join', 'return new Array(2 ** 32 - 1).join()'],
    ['toString', 'return (new Array(1e9) + "").length'],
  ])('is stopped by ending its thread: %s', async (_name, body) => {
    const { error } = await runtime.executeHandler(handler(body), { event: 1 }, 100)
    expect(error).toMatchObject({ code: 'TIMEOUT' })
  })

  it('leaves other calls alone', async () => {
    const kills = runtime.getStats().threadKills
    const looping = runtime.executeHandler(
      handler('return new Array(2 ** 32 - 1).join()'),
      { event: 1 },
      300,
    )
    const others = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        runtime.executeHandler(handler('return event'), { event: n }),
      ),
    )
    expect(others.map(({ value }) => value)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    expect((await looping).error?.code).toBe('TIMEOUT')
    expect(runtime.getStats().threadKills).toBe(kills + 1)
  })

  it('confines a handler that keeps at it to a thread of its own', async () => {
    const code = handler('return (new Array(1e9) + "").length')
    for (let i = 0; i < 4; i++) await runtime.executeHandler(code, { event: i }, 60)
    expect(runtime.getStats().confinedHandlers).toBeGreaterThanOrEqual(1)
  })
})

describe('the queue', () => {
  it('refuses what is more than it holds', async () => {
    const runtime = openRuntime({ threads: 1, maxQueue: 2 })
    const code = handler('const end = Date.now() + 100; while (Date.now() < end) {} return 1')
    const results = await Promise.all(
      Array.from({ length: 8 }, () => runtime.executeHandler(code, { event: 1 })),
    )
    const refused = results.filter(({ error }) => error?.code === 'POOL_EXHAUSTED')
    expect(refused.length).toBeGreaterThanOrEqual(4)
    expect(refused[0]?.error).toMatchObject({ retryable: true })
    expect(results.some(({ status }) => status === 'success')).toBe(true)
  })
})
