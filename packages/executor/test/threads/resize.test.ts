import type { WasmRuntime } from '@nexus/executor'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const sources = [1, 2, 3].map((n) => handler(`return ${n}`))

async function callEach(runtime: WasmRuntime): Promise<void> {
  for (const [index, source] of sources.entries()) {
    const { value } = await runtime.executeHandler(source, { event: null })
    expect(value).toBe(index + 1)
  }
}

const totals = (runtime: WasmRuntime) => {
  const { engines } = runtime.getStats()
  const sum = (figure: 'handlerLoads' | 'handlerEvictions' | 'handlers' | 'handlerBytes') =>
    engines.reduce((total, engine) => total + engine[figure], 0)
  return {
    loads: sum('handlerLoads'),
    evictions: sum('handlerEvictions'),
    kept: sum('handlers'),
    bytes: sum('handlerBytes'),
  }
}

describe.each([0, 1])('a runtime with %i threads', (threads) => {
  it('keeps as many handlers ready as its limit allows, and takes another limit while it runs', async () => {
    const runtime = openRuntime({ threads })
    await callEach(runtime)
    await callEach(runtime)
    const all = totals(runtime)
    expect(all).toMatchObject({ loads: 3, evictions: 0, kept: 3 })

    runtime.resize({ maxHandlerBytes: Math.ceil(all.bytes / 2) })
    await callEach(runtime)
    await callEach(runtime)
    const few = totals(runtime)
    expect(few.kept).toBe(1)
    expect(few.evictions).toBeGreaterThanOrEqual(5)
    expect(few.loads).toBeGreaterThanOrEqual(3 + 5)

    runtime.resize({ maxHandlerBytes: 2 * all.bytes })
    expect(runtime.getStats().limits).toMatchObject({
      maxHandlerBytes: 2 * all.bytes,
      maxInstances: 32,
    })
    await callEach(runtime)
    const loaded = totals(runtime)
    await callEach(runtime)
    expect(totals(runtime)).toEqual(loaded)
    expect(loaded.kept).toBe(3)
  })

  it('refuses a limit that makes no sense', () => {
    const runtime = openRuntime({ threads })
    expect(() => runtime.resize({ maxInstances: 0 })).toThrow('maxInstances')
    expect(runtime.getStats().limits.maxInstances).toBe(32)
  })
})

it.each([0, 1])(
  'runs handlers that are larger than all that may be kept (threads: %i)',
  async (threads) => {
    const small = openRuntime({ threads, maxHandlerBytes: 1 })
    const handlers = await Promise.all(
      ['a', 'b'].map((name) =>
        small.precompileHandler(`export default () => '${name}${'.'.repeat(2_000)}'`),
      ),
    )
    for (const handler of [...handlers, ...handlers]) {
      const { value } = await small.executeCompiledHandler(handler, { event: null })
      expect(value).toMatch(/^[ab]\.{2000}$/)
    }
  },
)
