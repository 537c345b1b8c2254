import { describe, expect, it } from 'vitest'
import { openRuntime } from './runtimes.js'

const runtime = openRuntime({ threads: 1 })
const code = 'export default () => 1'

describe('a fact of a call that could not be sent to a thread is refused by name', () => {
  it.each([
    ['eventJson', () => 1],
    ['eventJson', Symbol('x')],
    ['eventJson', { json: true }],
    ['functionName', 7],
    ['capabilities', 'events:emit:a'],
    ['capabilities', [() => 1]],
    ['capabilities', ['net:a', null]],
    ['env', { A: 1 }],
    ['env', 'A=1'],
    ['secrets', { A: Symbol('x') }],
    ['attempt', '1'],
    ['traceId', {}],
    ['globals', 'a'],
    ['invoke', {}],
    ['aroundHostCall', 'trace'],
  ])('%s', async (key, value) => {
    const context = { event: null, [key]: value } as never
    const refusal = {
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(`context.${key}: expected`),
    }
    await expect(runtime.executeHandler(code, context)).rejects.toMatchObject(refusal)
    const compiled = await runtime.precompileHandler(code)
    await expect(runtime.executeCompiledHandler(compiled, context)).rejects.toMatchObject(refusal)
  })

  it.each([[null], [undefined], [7], ['event']])('a context that is %j', async (context) => {
    await expect(runtime.executeHandler(code, context as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  })

  it.each([[null], [undefined], [{}], ['code'], [new ArrayBuffer(8)]])(
    'a compiled handler that is %j',
    async (handler) => {
      await expect(
        runtime.executeCompiledHandler(handler as never, { event: null }),
      ).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
    },
  )

  it('and the thread goes on', async () => {
    expect(await runtime.executeHandler(code, { event: null })).toMatchObject({ value: 1 })
  })
})
