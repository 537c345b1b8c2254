import { HandlerCompiler } from '@nexus/compile-cache'
import { WasmRuntime } from '@nexus/executor'
import { createPerformanceClient } from '@nexus/profiler'
import { expect, it, onTestFinished } from 'vitest'
import { runtimeKnobs } from './knobs.js'

async function parts() {
  const compiler = new HandlerCompiler({ cacheDir: false, maxMemoryBytes: 5_000_000 })
  const wasm = new WasmRuntime({ threads: 0, compiler })
  onTestFinished(async () => {
    await wasm.shutdown()
    await compiler.close()
  })
  return { compiler, wasm }
}

it('each setting is the one of the running part, before and after it is turned', async () => {
  const { compiler, wasm } = await parts()
  const knobs = new Map(runtimeKnobs({ wasm, compiler }).map((knob) => [knob.id, knob]))
  const turned = { 'cache.maxBytes': 9_000_000, 'handlers.maxBytes': 8_000_000 }
  for (const [id, value] of Object.entries({
    ...turned,
    'pool.maxInstances': 48,
  })) {
    const knob = knobs.get(id)!
    expect(knob.read()).not.toBe(value)
    await knob.write(value)
    expect(knob.read()).toBe(value)
  }
  expect(compiler.getStats().memory.maxBytes).toBe(9_000_000)
  expect(wasm.getStats().limits).toMatchObject({ maxHandlerBytes: 8_000_000, maxInstances: 48 })
})

it('the rules know every one of them', async () => {
  const client = createPerformanceClient({ env: {}, profileIntervalMs: 0 })
  onTestFinished(() => client.close())
  for (const knob of runtimeKnobs(await parts())) {
    client.registerKnob(knob)
    expect(() => client.registerKnob(knob)).toThrow('There already is a knob')
  }
})
