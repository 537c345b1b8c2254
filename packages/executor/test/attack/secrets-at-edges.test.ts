import type { CallOptions, HandlerContext } from '@nexus/executor'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const KEY = 'k3y-0123456789-abcdef'
const secrets = { KEY }
const CUT = 16_384

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('secrets %s', (_, runtime) => {
  const run = (body: string, context: Partial<HandlerContext> = {}, options: CallOptions = {}) =>
    runtime.executeHandler(handler(body), { event: null, secrets, ...context }, options)

  /** Every text in which people may read what a call did. */
  it.each([
    ['the name of an error', "throw Object.assign(new Error('x'), { name: KEY })"],
    [
      'the name of a cause',
      "throw new Error('x', { cause: Object.assign(new Error(), { name: KEY }) })",
    ],
    ['the message of a cause', "throw new Error('x', { cause: new Error(KEY) })"],
    ['a message', 'throw new Error(KEY)'],
    ['a thrown text', 'throw KEY'],
    ['a stack', 'const e = new Error(KEY); e.name = KEY; throw e'],
    ['a function in the stack', "const f = { [KEY]: () => { throw new Error('x') } }[KEY]; f()"],
    ['a log line', 'ctx.log.info(KEY)'],
    ['the console', 'console.error(new Error(KEY), { KEY }, [KEY])'],
    ['a field', 'ctx.log.info("x", { a: [{ b: KEY }] })'],
    ['a key of a field', 'ctx.log.info("x", { [KEY]: 1 })'],
    ['fields that are no JSON', 'ctx.log.info("x", { toJSON() { throw new Error(KEY) } })'],
    [
      'a timer that throws',
      'setTimeout(() => { throw new Error(KEY) }, 0); await new Promise(() => {})',
    ],
  ])('are taken out of %s', async (_where, body) => {
    const { logs, error } = await run(`const { KEY } = ctx.secrets; ${body}`)
    expect(JSON.stringify([logs, error])).toContain('[secret KEY]')
    expect(JSON.stringify([logs, error])).not.toContain('k3y')
  })

  it('are taken out of the source lines around an error', async () => {
    const { error } = await run(`throw new Error('x' + ${JSON.stringify(KEY)}.length)`)
    expect(error?.sourceLines).toContain('[secret KEY]')
    expect(JSON.stringify(error)).not.toContain('k3y')
  })

  it.each([
    ['a message', 'throw new Error(fill + KEY)'],
    ['a name', "throw Object.assign(new Error('x'), { name: fill + KEY })"],
    ['a cause', "throw new Error('x', { cause: new Error(fill + KEY) })"],
    ['a log line', 'ctx.log.info(fill + KEY)'],
    ['the console', 'console.log(fill, KEY)'],
    ['fields that are no JSON', 'ctx.log.info("x", { toJSON() { throw new Error(fill + KEY) } })'],
  ])('that the cut of %s parts in two leave no part', async (_where, body) => {
    for (const cutAfter of [4, 5, 10, KEY.length - 1]) {
      const { logs, error } = await run(
        `const { KEY } = ctx.secrets; const fill = 'x'.repeat(${CUT - cutAfter}); ${body}`,
      )
      const left = JSON.stringify([logs, error])
      expect(left).toContain('xxx')
      expect(left).not.toContain('k3y-')
    }
  })

  it('stay in what the handler returns and emits: that is its own to choose', async () => {
    const { value, events } = await run(
      'await ctx.emit("a", ctx.secrets.KEY); return ctx.secrets.KEY',
      {
        capabilities: ['events:emit:a'],
      },
    )
    expect([value, events[0]?.data]).toEqual([KEY, KEY])
  })

  it('that are replaced by longer names do not take the log over its limit', async () => {
    const body = 'for (let i = 0; i < 10; i++) ctx.log.info("1234".repeat(5), { f: "1234" })'
    const context = { secrets: { ['N'.repeat(1000)]: '1234' } }
    const { logs } = await run(body, context, { maxLogBytes: 20_000 })
    expect(JSON.stringify(logs).length).toBeLessThan(22_000)
    expect(logs[0]?.message).toContain('[secret N')
    expect(logs.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('20000') })
  })
})
