import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('aroundHostCall, %s,', (_, runtime) => {
  runtime.extend('stock', {
    left: (sku: string) => sku.length,
    fail: () => {
      throw new TypeError('no stock')
    },
  })
  const call = (
    body: string,
    aroundHostCall: <T>(name: string, run: () => Promise<T>) => Promise<T>,
  ) =>
    runtime.executeHandler(handler(body), { event: 1, capabilities: ['ext:stock'], aroundHostCall })

  it('is around each call to the host, by name, and hears how it ended', async () => {
    const heard: string[] = []
    const { value } = await call(
      `const left = await ctx.call('stock', 'left', 'tea')
       try { await ctx.call('stock', 'fail') } catch (error) { return [left, error.name, error.message] }`,
      async (name, run) => {
        try {
          const result = await run()
          heard.push(`${name} succeeded`)
          return result
        } catch (error) {
          heard.push(`${name}: ${(error as Error).message}`)
          throw error
        }
      },
    )
    expect(value).toEqual([3, 'TypeError', 'no stock'])
    expect(heard).toEqual(['stock.left succeeded', 'stock.fail: no stock'])
  })

  it('cannot keep the answer from the handler', async () => {
    const { value } = await call(`return ctx.call('stock', 'left', 'tea')`, async () => {
      throw new Error('the tracer is broken')
    })
    expect(value).toBe(3)
  })
})
