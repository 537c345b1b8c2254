import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

describe.each([
  ['inline', 0],
  ['on threads', 2],
])('shutting down, %s,', (_, threads) => {
  it('lets calls that wait for a timer or the host finish', async () => {
    const runtime = openRuntime({ threads })
    let answer: ((value: string) => void) | undefined
    const asked = new Promise<void>((resolve) => {
      runtime.extend('host', {
        ask: () => {
          resolve()
          return new Promise<string>((settle) => {
            answer = settle
          })
        },
      })
    })
    const onTimer = runtime.executeHandler(
      handler('await new Promise((r) => setTimeout(r, 30)); return "timer"'),
      { event: 1 },
    )
    const onHost = runtime.executeHandler(handler('return await ctx.call("host", "ask")'), {
      event: 1,
      capabilities: ['ext:host'],
    })
    await asked
    const down = runtime.shutdown()
    answer?.('host')
    expect((await onTimer).value).toBe('timer')
    expect((await onHost).value).toBe('host')
    await down
  })

  it('ends though a call waits for what never comes, when its time is up', async () => {
    const runtime = openRuntime({ threads })
    const waiting = runtime.executeHandler(
      handler('await new Promise((r) => setTimeout(r, 1e8))'),
      { event: 1 },
      100,
    )
    await runtime.executeHandler(handler(''), { event: 1 })
    await runtime.shutdown()
    expect((await waiting).error?.code).toBe('TIMEOUT')
  })

  it('fails what has not ended when the time to drain is over, as retryable', async () => {
    const runtime = openRuntime({ threads })
    const compiled = await runtime.precompileHandler(
      handler('await new Promise((r) => setTimeout(r, 1e8))'),
    )
    const waiting = runtime.executeCompiledHandler(compiled, { event: 1 }, 60_000)
    await runtime.shutdown({ drainTimeoutMs: 10 })
    expect((await waiting).error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: true })
  })

  it('finishes a call whose handler is still being compiled', async () => {
    const runtime = openRuntime({ threads })
    await runtime.executeHandler(handler(''), { event: 1 })
    const large = `export default () => 1\n// ${'x'.repeat(200_000)}`
    const compiling = runtime.executeHandler(large, { event: 1 })
    const evaluating = runtime.evaluate('1 + 1')
    await runtime.close()
    expect(await compiling).toMatchObject({ status: 'success', value: 1 })
    expect(await evaluating).toMatchObject({ status: 'success', value: 2 })
  })

  it('fails a call as retryable whose handler is not compiled when the drain ends', async () => {
    const runtime = openRuntime({ threads })
    const large = `export default () => 1\n${'function f() { return [1, 2, 3] }\n'.repeat(50_000)}`
    const compiling = runtime.executeHandler(large, { event: 1 })
    await runtime.shutdown({ drainTimeoutMs: 0 })
    expect(await compiling).toMatchObject({
      status: 'error',
      error: { code: 'INTERNAL_ERROR', retryable: true },
    })
  })
})
