import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, localStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import {
  type FunctionDefinition,
  FunctionHost,
  type FunctionPauseChange,
  observeFunctions,
} from '@nexus/functions'
import { MetricsRegistry } from '@nexus/metrics'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ManualClock } from './manual-clock.js'
import { openHost } from './open-host.js'

const echo: FunctionDefinition = {
  name: 'echo',
  source: 'export default (event) => event.data',
  events: 'a',
}
const broken: FunctionDefinition = {
  name: 'broken',
  source:
    "export default (event) => { if (event.data !== 'good') throw new Error('no ' + event.data) }",
  events: 'b',
  retry: { maxAttempts: 1 },
  pauseAfterFailures: 3,
}

const statusOf = async (host: FunctionHost, id: string) => (await host.runs({ id }))?.[0]?.status

describe('a paused function', () => {
  it('takes no events until it is resumed, and loses none', async () => {
    const { host, bus } = await openHost([echo])
    await host.pause('echo', { reason: 'the bank is down' })
    expect(host.functions).toMatchObject([
      { name: 'echo', paused: { by: 'operator', reason: 'the bank is down' } },
    ])
    await bus.publish({ type: 'a', id: 'x' })
    expect(await host.publish({ type: 'a', id: 'y' }, { wait: { timeoutMs: 50 } })).toMatchObject({
      settled: false,
    })
    expect([await statusOf(host, 'x'), await statusOf(host, 'y')]).toEqual(['pending', 'pending'])
    await host.resume('echo')
    await expect.poll(() => statusOf(host, 'y')).toBe('succeeded')
    expect(await statusOf(host, 'x')).toBe('succeeded')
    expect(host.functions[0]).not.toHaveProperty('paused')
  })

  it('takes no invocation, and says so at once', async () => {
    const { host, bus } = await openHost([echo])
    await host.pause('echo')
    await expect(host.invoke('echo', 1)).rejects.toMatchObject({ code: 'FUNCTION_PAUSED' })
    expect((await bus.list()).total).toBe(0)
    await host.resume('echo')
    expect(await host.invoke('echo', 1)).toMatchObject({ value: 1 })
  })

  it('stays as it was paused when it is paused again, reloaded, or waited for in an idle moment', async () => {
    const { host } = await openHost([echo])
    await host.pause('echo', { reason: 'first' })
    const { paused } = host.functions[0]!
    await host.pause('echo', { reason: 'second' })
    await host.bind([{ ...echo, source: 'export default () => 2', concurrency: 2 }])
    await host.whileIdle(() => {})
    expect(host.functions[0]!.paused).toEqual(paused)
    expect(host.getStats().functions[0]!.paused).toBe(true)
  })

  it('is paused after a restart, also where another function runs', async () => {
    const path = mkdtempSync(join(tmpdir(), 'nexus-pause-'))
    const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
    onTestFinished(async () => {
      await runtime.shutdown()
      rmSync(path, { recursive: true })
    })
    const start = async (definitions: FunctionDefinition[]) => {
      const changes: FunctionPauseChange[] = []
      const bus = await EventBus.open({ store: localStore({ path }) })
      const host = new FunctionHost({ bus, runtime, onPauseChange: (one) => changes.push(one) })
      await host.bind(definitions)
      const close = async () => {
        await host.close()
        await bus.close()
      }
      return { bus, host, changes, close }
    }
    const before = await start([echo, broken])
    await before.host.pause('echo')
    await before.bus.publish({ type: 'a', id: 'x' })
    await before.close()
    const other = await start([broken])
    expect(await statusOf(other.host, 'x')).toBe('pending')
    await other.close()
    const after = await start([echo])
    await expect.poll(() => after.changes).toMatchObject([{ function: 'echo', paused: {} }])
    expect(await statusOf(after.host, 'x')).toBe('pending')
    await after.host.resume('echo')
    await expect.poll(() => statusOf(after.host, 'x')).toBe('succeeded')
    expect(after.changes).toHaveLength(2)
    await after.close()
  })

  it('is paused by its policy after so many events in a row failed', async () => {
    const changes: FunctionPauseChange[] = []
    const { host, bus } = await openHost([broken], { onPauseChange: (one) => changes.push(one) })
    const registry = new MetricsRegistry()
    observeFunctions(registry, host)
    const send = async (...data: string[]) => {
      for (const one of data) await host.publish({ type: 'b', data: one }, { wait: true })
    }
    await send('1', '2', 'good', '3', '4')
    expect(host.functions[0]).not.toHaveProperty('paused')
    await send('5')
    await expect.poll(() => changes).toHaveLength(1)
    expect(changes).toMatchObject([
      {
        function: 'broken',
        paused: {
          by: 'policy',
          reason: '3 events in a row failed, the last with EXECUTION_ERROR: no 5',
        },
      },
    ])
    expect((await bus.deadLetters.list()).total).toBe(5)
    let text = ''
    for await (const chunk of registry.scrape()) text += chunk
    expect(text).toContain('nexus_function_paused{function="broken"} 1')
    await host.resume('broken')
    await send('6', '7')
    expect(host.functions[0]).not.toHaveProperty('paused')
  })

  it('is not paused by events that do not fit its schema', async () => {
    const { host } = await openHost([{ ...broken, schema: { type: 'number' } }])
    for (let n = 0; n < 4; n++) await host.publish({ type: 'b', data: 'x' }, { wait: true })
    expect(host.functions[0]).not.toHaveProperty('paused')
  })

  it('is known to every process of the bus, which hears of changes, also after the store was emptied', async () => {
    const clock = new ManualClock('2026-03-01T00:00:00Z')
    const { bus, runtime, host } = await openHost([echo])
    vi.spyOn(bus, 'isShared', 'get').mockReturnValue(true)
    const other = new FunctionHost({ bus, runtime, clock })
    onTestFinished(() => other.close())
    await other.bind([echo])
    await host.pause('echo')
    clock.fire()
    await expect.poll(() => other.functions[0]!.paused).toBeDefined()
    const stored = await bus.shared.get('paused-functions')
    vi.spyOn(bus.shared, 'get').mockResolvedValueOnce(undefined)
    const update = vi.spyOn(bus.shared, 'update')
    await clock.settled(1)
    clock.fire()
    await expect.poll(() => update.mock.calls.length).toBe(1)
    expect(update.mock.calls[0]![1](undefined)).toEqual(stored)
    await host.resume('echo')
    await clock.settled(1)
    clock.fire()
    await expect.poll(() => other.functions[0]!.paused).toBe(undefined)
  })

  it('misses the firings of its schedule', async () => {
    const clock = new ManualClock('2026-03-02T08:59:30Z')
    const { host, bus } = await openHost(
      [{ name: 'tick', source: 'export default () => 1', schedule: '0 * * * *' }],
      { clock },
    )
    const fired = async () => (await bus.list({ type: 'nexus.schedule.tick' })).total
    await host.pause('tick')
    await clock.passUntil('2026-03-02T10:30:00Z')
    expect(await fired()).toBe(0)
    await host.resume('tick')
    await clock.passUntil('2026-03-02T11:00:30Z')
    await expect.poll(fired).toBe(1)
  })

  it('has to be one that is known', async () => {
    const { host } = await openHost([echo])
    await expect(host.pause('nope')).rejects.toMatchObject({ code: 'FUNCTION_NOT_FOUND' })
    await expect(host.resume('nope')).rejects.toMatchObject({ code: 'FUNCTION_NOT_FOUND' })
  })
})
