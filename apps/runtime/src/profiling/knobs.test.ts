import { HandlerCompiler } from '@nexus/compile-cache'
import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { createPerformanceClient } from '@nexus/profiler'
import { expect, it, onTestFinished } from 'vitest'
import { FunctionHost } from '../functions/function-host.js'
import { runtimeKnobs } from './knobs.js'

async function parts() {
  const compiler = new HandlerCompiler({ cacheDir: false, maxMemoryBytes: 5_000_000 })
  const wasm = new WasmRuntime({ threads: 0, compiler })
  const bus = await EventBus.open({ store: memoryStore() })
  onTestFinished(async () => {
    await bus.close()
    await wasm.shutdown()
    await compiler.close()
  })
  const onExecution = () => {}
  const host = new FunctionHost(bus, {
    wasm,
    onActivity: () => {},
    onExecution,
    tracing: undefined,
  })
  return { compiler, wasm, bus, host }
}

it('each setting is the one of the running part, before and after it is turned', async () => {
  const { compiler, wasm, bus, host } = await parts()
  const compiled = await wasm.precompileHandler('export default (event) => event.data')
  const config = {
    ...{ name: 'echo', source: './echo.js', file: '/echo.js', events: ['a'], timeoutMs: 5000 },
    ...{ capabilities: [], env: {}, secrets: {} },
  }
  await host.bind([{ config, compiled }])
  const knobs = new Map(runtimeKnobs({ wasm, compiler, host }).map((knob) => [knob.id, knob]))
  const turned = { 'cache.maxBytes': 9_000_000, 'handlers.maxBytes': 8_000_000 }
  for (const [id, value] of Object.entries({
    ...turned,
    'pool.maxInstances': 48,
    'batch.maxSize': 7,
  })) {
    const knob = knobs.get(id)!
    expect(knob.read()).not.toBe(value)
    await knob.write(value)
    expect(knob.read()).toBe(value)
  }
  expect(compiler.getStats().memory.maxBytes).toBe(9_000_000)
  expect(wasm.getStats().limits).toMatchObject({ maxHandlerBytes: 8_000_000, maxInstances: 48 })

  const { id } = await bus.publish({ type: 'a', data: 1 })
  const deliveries = async () => (await bus.get(id))?.deliveries.map(({ status }) => status)
  await expect.poll(deliveries).toEqual(['succeeded'])
})

it('the rules know every one of them', async () => {
  const client = createPerformanceClient({ env: {}, profileIntervalMs: 0 })
  onTestFinished(() => client.close())
  for (const knob of runtimeKnobs(await parts())) {
    client.registerKnob(knob)
    expect(() => client.registerKnob(knob)).toThrow('There already is a knob')
  }
})
