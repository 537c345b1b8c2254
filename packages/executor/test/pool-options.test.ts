import { ExecutorError, WasmRuntime, type WasmRuntimeOptions } from '@nexus/executor'
import { expect, it, onTestFinished } from 'vitest'

function runtimeWith(options: WasmRuntimeOptions): WasmRuntime {
  const runtime = new WasmRuntime({ cacheDir: false, threads: 1, timeoutMs: 60_000, ...options })
  onTestFinished(() => runtime.shutdown())
  return runtime
}

/** Waits for the host, so that it holds its sandbox. */
const WAITS = `export default (event, ctx) => ctx.call('gate', 'pass')`

/** A gate that opens when told, and how many calls stand before it. */
function gateOf(runtime: WasmRuntime) {
  const waiting: (() => void)[] = []
  runtime.extend('gate', { pass: () => new Promise<void>((resolve) => waiting.push(resolve)) })
  return {
    waiting,
    open() {
      for (const pass of waiting.splice(0)) pass()
    },
  }
}

const call = (runtime: WasmRuntime) =>
  runtime.executeHandler(WAITS, { event: null, capabilities: ['ext:gate'] })

it('minInstances are there before the first call, which takes one of them', async () => {
  const runtime = runtimeWith({ minInstances: 3 })
  const pool = () => runtime.getStats().engines[0]!.pool
  await expect.poll(() => pool().available).toBe(3)
  await runtime.executeHandler('export default () => 1', { event: null })
  await expect.poll(() => pool().acquired).toBe(1)
  expect(pool()).toMatchObject({ available: 3, created: 3 })
})

it('maxWaiting and acquireTimeoutMs refuse the calls above them', async () => {
  const runtime = runtimeWith({
    ...{ threads: 0, maxInstances: 1, maxWaiting: 1, acquireTimeoutMs: 60_000 },
  })
  const gate = gateOf(runtime)
  const first = call(runtime)
  await expect.poll(() => gate.waiting.length).toBe(1)
  const second = call(runtime)
  await expect.poll(() => runtime.getStats().engines[0]!.pool.waiting).toBe(1)
  expect(await call(runtime)).toMatchObject({ error: { code: 'POOL_EXHAUSTED' } })
  gate.open()
  expect(await first).toMatchObject({ status: 'success' })
  await expect.poll(() => gate.waiting.length).toBe(1)
  gate.open()
  expect(await second).toMatchObject({ status: 'success' })

  const impatient = runtimeWith({ threads: 0, maxInstances: 1, acquireTimeoutMs: 1_500 })
  const closed = gateOf(impatient)
  const holding = call(impatient)
  await expect.poll(() => closed.waiting.length).toBe(1)
  expect(await call(impatient)).toMatchObject({
    error: { code: 'POOL_EXHAUSTED', message: expect.stringContaining('within 1500 ms') },
  })
  closed.open()
  await holding
})

it('an idle sandbox goes after idleTimeoutMs, down to minInstances', async () => {
  const runtime = runtimeWith({ idleTimeoutMs: 1 })
  await runtime.executeHandler('export default () => 1', { event: null })
  await expect.poll(() => runtime.getStats().engines[0]!.pool.discards.idle).toBe(1)
})

it.each([
  [{ minInstances: 33 }, 'minInstances'],
  [{ minInstances: 2, maxInstances: 1 }, 'minInstances'],
  [{ maxWaiting: -1 }, 'maxWaiting'],
  [{ acquireTimeoutMs: Number.NaN }, 'acquireTimeoutMs'],
  [{ idleTimeoutMs: 0 }, 'idleTimeoutMs'],
  [{ maxModuleBytes: 0 }, 'maxModuleBytes'],
])('%j is refused by name', (options, name) => {
  expect(() => new WasmRuntime(options)).toThrow(ExecutorError)
  expect(() => new WasmRuntime(options)).toThrow(name)
})

it('limits that are changed later are checked against minInstances too', () => {
  const runtime = runtimeWith({ minInstances: 2, maxInstances: 4 })
  expect(() => runtime.resize({ maxInstances: 1 })).toThrow('minInstances')
})
