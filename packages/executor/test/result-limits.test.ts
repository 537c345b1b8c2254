import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('what a result holds, %s,', (_, runtime) => {
  it('shows a source line cut to a width around the place', async () => {
    const code = `export default () => { ${'1;'.repeat(50_000)} throw new Error('here'); ${'2;'.repeat(50_000)} }`
    const { error } = await runtime.executeHandler(code, { event: null })
    expect(error?.sourceLines).toContain("new Error('here')")
    expect(error?.sourceLines).toMatch(/…$/)
    expect(error?.sourceLines?.length).toBeLessThanOrEqual('> 1 | '.length + 200)
  })

  it('shows the lines around the place cut to the same width', async () => {
    const long = `// ${'y'.repeat(100_000)}`
    const code = `${long}\nexport default () => { throw new Error('here') }\n${long}`
    const { error } = await runtime.executeHandler(code, { event: null })
    expect(error?.sourceLines?.split('\n')).toHaveLength(3)
    expect(error?.sourceLines?.length).toBeLessThanOrEqual(3 * 210)
  })

  it('shows the line of a syntax error cut to a width around the place', async () => {
    const code = `export default () => { ${'1;'.repeat(50_000)} const = 5 }`
    const { error } = await runtime.executeHandler(code, { event: null })
    expect(error?.code).toBe('COMPILATION_ERROR')
    expect(error?.sourceLines).toContain('const =')
    expect(error?.sourceLines?.length).toBeLessThanOrEqual('> 1 | '.length + 200)
  })

  it('is bounded for an error whose every text is as long as it can be', async () => {
    const { error } = await runtime.executeHandler(
      handler(`const huge = 'z'.repeat(1e6)
        const e = Object.assign(new Error(huge, { cause: Object.assign(new Error(huge), { name: huge }) }), { name: huge })
        e.stack = ('    at ' + 'f'.repeat(1000) + ' (handler.js:1:1)\\n').repeat(1000)
        throw e`),
      { event: null },
    )
    expect(error?.name.length).toBe(256)
    expect(error?.cause?.name.length).toBe(256)
    expect(error?.message.length).toBe(16_384)
    expect(error?.cause?.message.length).toBe(16_384)
    expect(error?.stack?.length).toBeLessThanOrEqual(16_384)
    expect(JSON.stringify(error).length).toBeLessThan(64 * 1024)
  })

  it('has at most 1,000 lines of a short log, and says that there were more', async () => {
    const log = (lines: number) =>
      runtime.executeHandler(handler(`for (let i = 0; i < ${lines}; i++) ctx.log.info('')`), {
        event: null,
      })
    const limit = Math.max(1000, (64 * 1024) / 64)
    expect((await log(limit)).logs).toHaveLength(limit)
    expect((await log(limit)).logs.at(-1)?.level).toBe('info')
    const { logs } = await log(limit + 100)
    expect(logs).toHaveLength(limit + 1)
    expect(logs.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('lines') })
  })

  it('counts the types of events among their bytes', async () => {
    const emit = (maxResultBytes: number) =>
      runtime.executeHandler(
        handler('await ctx.emit("abcdefghij", 1)'),
        { event: null, capabilities: ['events:emit:>'] },
        { maxResultBytes },
      )
    expect((await emit(11)).status).toBe('success')
    expect((await emit(10)).error?.code).toBe('RESOURCE_LIMIT')
  })

  it.each(['data', 'data_base64', 'd\\u0061ta'])(
    'has the data of an event once: an attribute %s is refused',
    async (name) => {
      const { error, events } = await runtime.executeHandler(
        handler(
          `await ctx.emit('a', null, JSON.parse('{"${name.replace('\\', '\\\\')}":"eA=="}'))`,
        ),
        { event: null, capabilities: ['events:emit:a'] },
      )
      expect(error).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('no data and data_base64'),
      })
      expect(events).toEqual([])
    },
  )

  it('lets an event say of its data what it is', async () => {
    const { events } = await runtime.executeHandler(
      handler(
        "await ctx.emit('a', null, { datacontenttype: 'x/y', dataschema: 'z:', subject: 's' })",
      ),
      { event: null, capabilities: ['events:emit:a'] },
    )
    expect(events[0]?.attributes).toEqual({
      datacontenttype: 'x/y',
      dataschema: 'z:',
      subject: 's',
    })
  })
})
