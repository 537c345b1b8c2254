import { HandlerCompiler } from '@nexus/compile-cache'
import type { ExecutionResult } from '@nexus/executor'
import { beforeAll, describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

let bytecode: Uint8Array
beforeAll(async () => {
  const compiler = new HandlerCompiler({ cacheDir: false })
  bytecode = (await compiler.compile('export default (event) => event')).bytecode
  await compiler.close()
})

const codes = (results: ExecutionResult[]) => results.map(({ error }) => error?.code ?? 'success')

describe('calls that wait for a thread', () => {
  it.each([1, 2, 7])('are as many as maxQueue allows, exactly %i', async (maxQueue) => {
    const runtime = openRuntime({ threads: 1, maxQueue })
    // No thread is ready before this turn of the event loop is over.
    const calls = Array.from({ length: maxQueue + 2 }, (_, event) =>
      runtime.executeCompiledHandler(bytecode, { event }),
    )
    expect(runtime.getStats().queued).toBe(maxQueue)
    expect(codes(await Promise.all(calls))).toEqual([
      ...Array.from({ length: maxQueue }, () => 'success'),
      'POOL_EXHAUSTED',
      'POOL_EXHAUSTED',
    ])
  })

  it('are none with maxQueue 0, and a free thread still takes a call', async () => {
    const runtime = openRuntime({ threads: 1, maxQueue: 0 })
    const early = await runtime.executeCompiledHandler(bytecode, { event: 1 })
    expect(early.error?.code).toBe('POOL_EXHAUSTED')
    await expect
      .poll(async () => (await runtime.executeCompiledHandler(bytecode, { event: 2 })).value)
      .toBe(2)
  })

  it('fail as retryable when the runtime shuts down before their turn', async () => {
    const runtime = openRuntime({ threads: 1 })
    const calls = [1, 2, 3].map((event) => runtime.executeCompiledHandler(bytecode, { event }))
    await runtime.shutdown({ drainTimeoutMs: 0 })
    for (const { error } of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: true })
      expect(error?.message).toContain('shut down')
    }
    expect(runtime.getStats()).toMatchObject({ queued: 0, running: 0 })
  })
})
