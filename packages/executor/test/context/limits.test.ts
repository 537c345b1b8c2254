import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

describe.each([
  ['inline', { threads: 0 }],
  ['on threads', { threads: 2 }],
])('limits of a context, %s', (_name, options) => {
  const runtime = openRuntime(options)

  it.each([
    ['time', 'n = 2; for (;;);', 'TIMEOUT'],
    ['time, while it waits', 'n = 2; await new Promise(() => setInterval(() => {}, 5))', 'TIMEOUT'],
    ['memory', 'n = 2; const all = []; for (;;) all.push(new Array(1000).fill(1))', 'MEMORY_LIMIT'],
    ['stack', 'n = 2; (function deep() { deep() })()', 'STACK_OVERFLOW'],
  ])(
    'goes back to the state before a script that is over its limit of %s',
    async (_what, script, code) => {
      await using context = runtime.createContext({ memoryLimitBytes: 4 * 1024 * 1024 })
      await context.evaluate('let n = 1')
      const timeoutMs = code === 'TIMEOUT' ? 150 : 20_000
      expect((await context.evaluate(script, timeoutMs)).error?.code).toBe(code)
      expect((await context.evaluate('n')).value).toBe(1)
    },
  )

  it('gives its globals again where the first script was over a limit', async () => {
    await using context = runtime.createContext({ globals: { rate: 2 } })
    expect((await context.evaluate('for (;;);', 100)).error?.code).toBe('TIMEOUT')
    expect((await context.evaluate('rate')).value).toBe(2)
  })

  it('counts what scripts keep as memory of the next', async () => {
    await using context = runtime.createContext({ memoryLimitBytes: 4 * 1024 * 1024 })
    const grow =
      'globalThis.kept = [...(globalThis.kept ?? []), new Uint8Array(1024 * 1024).fill(7)]; kept.length'
    const codes = []
    for (let i = 0; i < 6; i++) codes.push((await context.evaluate(grow)).error?.code)
    expect(codes.at(-1)).toBe('MEMORY_LIMIT')
    expect(codes[0]).toBeUndefined()
    expect((await context.evaluate('kept.every((one) => one[7] === 7)')).value).toBe(true)
  })

  it('takes limits of one script', async () => {
    await using context = runtime.createContext({ timeoutMs: 2000 })
    expect((await context.evaluate('for (;;);', 50)).error?.code).toBe('TIMEOUT')
    const { error } = await context.evaluate('"x".repeat(1000)', { maxResultBytes: 100 })
    expect(error?.code).toBe('RESOURCE_LIMIT')
  })

  it('keeps what a script did whose result is too large', async () => {
    await using context = runtime.createContext({ maxResultBytes: 100 })
    expect((await context.evaluate('var text = "x".repeat(1000); text')).error?.code).toBe(
      'RESOURCE_LIMIT',
    )
    expect((await context.evaluate('text.length')).value).toBe(1000)
  })

  it('does not grow with scripts that leave nothing, whether they fail or not', async () => {
    await using context = runtime.createContext({
      globals: { ask: async () => ({ n: [1, 2, 3] }) },
    })
    const script = `var n = (globalThis.n ?? 0) + 1; await ask(); JSON.parse('{"a":[1,2,3]}'); if (n % 2) throw new Error('odd'); n`
    const sizes: number[] = []
    for (let i = 0; i < 60; i++) {
      await context.evaluate(script)
      sizes.push(context.getStats().imageBytes)
    }
    expect((await context.evaluate('n')).value).toBe(60)
    expect(sizes.at(-1)).toBeLessThan(sizes[10]! + 1024)
  })

  it('takes no sandbox while it is idle', async () => {
    const few = openRuntime({ ...options, maxInstances: 1, acquireTimeoutMs: 2000 })
    const contexts = Array.from({ length: 20 }, () => few.createContext())
    for (const [n, context] of contexts.entries()) await context.evaluate(`let own = ${n}`)
    const values = []
    for (const context of contexts) values.push((await context.evaluate('own')).value)
    expect(values).toEqual(contexts.map((_, n) => n))
    expect(contexts.every((context) => context.getStats().imageBytes < 20 * 1024)).toBe(true)
  })
})

describe('a context', () => {
  const runtime = openRuntime({ threads: 0 })

  it('finishes its scripts when it is closed, and then refuses others', async () => {
    const context = runtime.createContext({ globals: { wait: async () => {} } })
    const last = context.evaluate('await wait(); 7')
    const closed = context.close()
    await expect(context.evaluate('1')).rejects.toMatchObject({ code: 'CONTEXT_CLOSED' })
    expect(await last).toMatchObject({ value: 7 })
    await closed
    expect(context.close()).toBe(closed)
    expect(context.getStats()).toMatchObject({
      imageBytes: 0,
      waiting: 0,
      evaluations: { total: 1, failed: 0 },
    })
  })

  it('ends with its runtime, which lets accepted scripts finish', async () => {
    const own = openRuntime({ threads: 0 })
    const context = own.createContext({ globals: { wait: async () => {} } })
    const results = Promise.all([context.evaluate('await wait(); 1'), context.evaluate('2')])
    await own.shutdown()
    expect((await results).map(({ value }) => value)).toEqual([1, 2])
    await expect(context.evaluate('3')).rejects.toMatchObject({ code: 'SHUT_DOWN' })
    expect(() => own.createContext()).toThrow(expect.objectContaining({ code: 'SHUT_DOWN' }))
  })

  it.each([
    [{ event: 1 }, /Unknown key "event" in options: expected functionName/],
    [{ isolation: 'shared' }, /Unknown key "isolation"/],
    [{ timeout: 1 }, /Limits are timeoutMs/],
    [{ timeoutMs: -1 }, /timeoutMs/],
    [{ capabilities: 'all' }, /options\.capabilities: expected a list of strings, got string/],
    [null, /options: expected an object, got null/],
    [{ globals: { undefined: 1 } }, /globals\.undefined/],
  ])('refuses wrong options: %j', (options, message) => {
    expect(() => runtime.createContext(options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringMatching(message) }),
    )
  })

  it.each([[undefined], [null], [7], [{}]])('refuses %s as a script', async (script) => {
    await using context = runtime.createContext()
    await expect(context.evaluate(script as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
    await expect(context.evaluate('1', { isolation: 'shared' } as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  })
})
