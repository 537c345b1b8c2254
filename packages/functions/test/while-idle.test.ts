import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost } from '@nexus/functions'
import { expect, it, onTestFinished } from 'vitest'

async function opened() {
  const bus = await EventBus.open({ store: memoryStore() })
  const runtime = new WasmRuntime({ threads: 1, cacheDir: false })
  const host = new FunctionHost({ bus, runtime })
  onTestFinished(async () => {
    await host.close()
    await bus.close()
    await runtime.shutdown()
  })
  const busy = (ms: number) =>
    `export default () => { const end = Date.now() + ${ms}; while (Date.now() < end); }`
  await host.bind([{ name: 'busy', source: busy(300), events: 'a', timeoutMs: 20_000 }])
  const running = () => host.getStats().functions[0]!.running
  return { bus, host, running }
}

it('waits for calls under way, lets none begin, and goes on with what waited', async () => {
  const { bus, host, running } = await opened()
  const { id } = await bus.publish({ type: 'a' })
  await expect.poll(running).toBe(1)
  const seen = await host.whileIdle(() => ({
    running: running(),
    paused: host.getStats().functions[0]!.paused,
  }))
  expect(seen).toEqual({ running: 0, paused: true })
  expect((await host.runs({ id }))?.[0]).toMatchObject({ attempts: 1 })
  expect((await host.invoke('busy')).status).toBe('succeeded')
})

it('does nothing when calls do not end in time, and events are taken again', async () => {
  const { bus, host, running } = await opened()
  await bus.publish({ type: 'a' })
  await expect.poll(running).toBe(1)
  let done = false
  const refused = host.whileIdle(
    () => {
      done = true
    },
    { drainTimeoutMs: 0 },
  )
  await expect(refused).rejects.toMatchObject({ code: 'FUNCTIONS_BUSY' })
  expect(done).toBe(false)
  expect(host.getStats().functions[0]!.paused).toBe(false)
  expect((await host.invoke('busy')).status).toBe('succeeded')
})

it('what the work throws is thrown, and events are taken again', async () => {
  const { host } = await opened()
  const failing = host.whileIdle(() => {
    throw new Error('no memory')
  })
  await expect(failing).rejects.toThrow('no memory')
  expect((await host.invoke('busy')).status).toBe('succeeded')
})
