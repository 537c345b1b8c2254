import { HandlerCompiler } from '@nexus/compile-cache'
import { WasmRuntime } from '@nexus/executor'
import { createPerformanceClient } from '@nexus/profiler'
import { expect, it, onTestFinished } from 'vitest'
import { sandboxKnobs } from './sandbox-knobs.js'

async function parts() {
  const compiler = new HandlerCompiler({ cacheDir: false, maxMemoryBytes: 5_000_000 })
  const runtime = new WasmRuntime({ threads: 0, compiler })
  onTestFinished(async () => {
    await runtime.shutdown()
    await compiler.close()
  })
  return { compiler, runtime }
}

it('each setting is the one of the running part, before and after it is changed', async () => {
  const { compiler, runtime } = await parts()
  const knobs = new Map(sandboxKnobs({ runtime, compiler }).map((knob) => [knob.id, knob]))
  const changed = { 'cache.maxBytes': 9_000_000, 'handlers.maxBytes': 8_000_000 }
  for (const [id, value] of Object.entries({ ...changed, 'pool.maxInstances': 48 })) {
    const knob = knobs.get(id)!
    expect(knob.read()).not.toBe(value)
    await knob.write(value)
    expect(knob.read()).toBe(value)
  }
  expect(compiler.getStats().memory.maxBytes).toBe(9_000_000)
  expect(runtime.getStats().limits).toMatchObject({ maxHandlerBytes: 8_000_000, maxInstances: 48 })
})

it('the rules of the profiler know every one of them', async () => {
  const client = createPerformanceClient({ env: {}, profileIntervalMs: 0 })
  onTestFinished(() => client.close())
  for (const knob of sandboxKnobs(await parts())) {
    client.registerKnob(knob)
    expect(() => client.registerKnob(knob)).toThrow('There already is a knob')
  }
})
