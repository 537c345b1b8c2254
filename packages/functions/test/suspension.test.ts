import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, localStore, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost, observeBus, observeFunctions } from '@nexus/functions'
import { MetricsRegistry } from '@nexus/metrics'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { waitKind } from '../src/suspension/events/event-wait.js'

const keys = { current: randomBytes(32) }
const runtime = new WasmRuntime({ threads: 1, suspensions: { keys } })
afterAll(() => runtime.shutdown())

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const APPROVAL = `export default async (event, ctx) => {
  await ctx.emit('order.asked', { total: event.data.total })
  const seen = new Map([['total', event.data.total]])
  try {
    const { by } = await ctx.suspend('approval', { total: event.data.total }, { timeoutMs: event.data.timeoutMs })
    await ctx.emit('order.approved', { by, total: seen.get('total') })
    return 'approved by ' + by
  } catch (error) {
    return 'not approved: ' + (error.code ?? error.message)
  }
}`
const approval = {
  name: 'approval',
  source: APPROVAL,
  events: 'order',
  capabilities: ['events:emit:order.*'],
}

async function start(store = memoryStore(), functions: readonly object[] = [approval]) {
  const bus = await EventBus.open({ store })
  const host = new FunctionHost({ bus, runtime })
  await host.bind(functions as never)
  const close = async () => {
    await host.close()
    await bus.close()
  }
  cleanups.push(close)
  return { bus, host, close }
}

const order = (data: object) => ({ type: 'order', id: 'o1', source: '/shop', data })
const runOf = async (host: FunctionHost, id = 'o1') => (await host.runs({ id }))?.[0]
const until = (check: () => Promise<unknown>) => expect.poll(check, { timeout: 20_000 })

describe('a function that is suspended', () => {
  it('counts as neither running nor failed, and what it emitted is published', async () => {
    const { bus, host } = await start()
    const registry = new MetricsRegistry()
    const detach = observeBus(registry, bus)
    const { settled, runs } = await host.publish(order({ total: 900 }), { wait: true })
    expect(settled).toBe(true)
    expect(runs[0]).toMatchObject({
      status: 'suspended',
      suspension: { name: 'approval', suspensionId: expect.any(String) },
    })
    expect((await bus.list({ type: 'order.asked' })).events).toHaveLength(1)
    const [found] = (await host.suspensions.list()).suspensions
    expect(found).toMatchObject({
      suspensionId: runs[0]!.suspension!.suspensionId,
      function: 'approval',
      name: 'approval',
      data: { total: 900 },
      event: { id: 'o1', source: '/shop', type: 'order' },
    })
    expect(await host.suspensions.counts()).toEqual({ approval: 1 })
    expect(host.functions[0]).toMatchObject({ running: 0, failed: 0 })
    let scraped = ''
    for await (const chunk of registry.scrape()) scraped += chunk
    expect(scraped).toContain('nexus_suspended_calls{group="approval"} 1')
    detach()
  })

  it('goes on where it stood, and its run tells how it ended', async () => {
    const { bus, host } = await start()
    const { runs } = await host.publish(order({ total: 900 }), { wait: true })
    const { suspensionId } = runs[0]!.suspension!
    await host.suspensions.resume(suspensionId, { success: true, value: { by: 'Ada' } })
    await until(() => runOf(host)).toMatchObject({
      status: 'succeeded',
      value: 'approved by Ada',
      resumes: 1,
    })
    const [approved] = (await bus.list({ type: 'order.approved' })).events
    expect(approved?.event.data).toEqual({ by: 'Ada', total: 900 })
    expect(await host.suspensions.get(suspensionId)).toBeUndefined()
    expect(await host.suspensions.counts()).toEqual({ approval: 0 })
    await expect(host.suspensions.resume(suspensionId, { success: true })).rejects.toMatchObject({
      code: 'SUSPENSION_NOT_FOUND',
    })
  })

  it('is resumed by exactly one of many', async () => {
    const { bus, host } = await start()
    const { runs } = await host.publish(order({ total: 900 }), { wait: true })
    const { suspensionId } = runs[0]!.suspension!
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) =>
        host.suspensions.resume(suspensionId, { success: true, value: { by: `P${n}` } }),
      ),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await until(() => runOf(host)).toMatchObject({ status: 'succeeded' })
    expect((await bus.list({ type: 'order.approved' })).events).toHaveLength(1)
  })

  it('fails with TIMEOUT when its time is over, and with CANCELLED when it is cancelled', async () => {
    const { host } = await start()
    await host.publish(order({ total: 1, timeoutMs: 50 }))
    await until(() => runOf(host)).toMatchObject({ value: 'not approved: TIMEOUT' })
    const { runs } = await host.publish({ ...order({ total: 2 }), id: 'o2' }, { wait: true })
    await host.suspensions.cancel(runs[0]!.suspension!.suspensionId)
    await until(() => runOf(host, 'o2')).toMatchObject({ value: 'not approved: CANCELLED' })
  })

  it('is counted: suspended, resumed, expired, refused, and the bytes of images', async () => {
    const { bus, host } = await start()
    const registry = new MetricsRegistry()
    const detach = observeFunctions(registry, host)
    const { runs } = await host.publish(order({ total: 1 }), { wait: true })
    const { suspensionId } = runs[0]!.suspension!
    await host.suspensions.resume(suspensionId, { success: true, value: { by: 'Ada' } })
    await until(() => runOf(host)).toMatchObject({ status: 'succeeded' })
    await host.publish({ ...order({ total: 1, timeoutMs: 50 }), id: 'o2' })
    await until(() => runOf(host, 'o2')).toMatchObject({ value: 'not approved: TIMEOUT' })
    const data = { kind: 'resume', callId: suspensionId.replace(/\.\d+$/, ''), leg: 7, waitId: 1 }
    await bus.publish({ type: 'nexus.resume.approval', source: '/suspensions', data })
    const counts = () => host.getStats().suspensions.approval
    const expected = { suspended: 2, resumed: 2, expired: 1, refused: 1 }
    await until(async () => counts()).toMatchObject(expected)
    expect(counts()!.imageBytes).toBeGreaterThan(1_000)
    const text = registry.toPrometheus()
    for (const [name, value] of [
      ['nexus_suspensions_total', 2],
      ['nexus_suspension_image_bytes_total', counts()!.imageBytes],
      ['nexus_suspensions_resumed_total', 2],
      ['nexus_suspensions_expired_total', 1],
      ['nexus_suspensions_refused_total', 1],
    ]) {
      expect(text).toContain(`${name}{function="approval"} ${value}`)
    }
    detach()
  })

  it('sleeps and is suspended again and again, in loops and several at once', async () => {
    const source = `export default async (event, ctx) => {
      let sum = 0
      for (let n = 0; n < 5; n++) {
        await ctx.sleep(5)
        const [a, b] = await Promise.all([ctx.suspend('a'), ctx.suspend('b')])
        sum += a + b
      }
      return sum
    }`
    const { host } = await start(memoryStore(), [{ name: 'loop', source, events: 'order' }])
    await host.publish(order({}))
    for (let n = 0; n < 5; n++) {
      await until(async () => (await host.suspensions.list({ name: 'a' })).suspensions.length).toBe(
        1,
      )
      const { wakes } = (await host.suspensions.list({ name: 'a' })).suspensions[0]!
      await Promise.all(
        wakes.map(({ suspensionId }, i) =>
          host.suspensions.resume(suspensionId, { success: true, value: i + n }),
        ),
      )
    }
    await until(() => runOf(host)).toMatchObject({ status: 'succeeded', value: 25, resumes: 15 })
  })

  it('is retried from where it stood, and redriven from there as a dead letter', async () => {
    const source = `let calls = 0
    export default async (event, ctx) => {
      let steps = ['begun']
      const value = await ctx.suspend('more')
      steps.push(value, ctx.attempt)
      if (ctx.env.BROKEN) throw new Error('broken')
      return steps
    }`
    const retry = { maxAttempts: 2, baseDelayMs: 1 }
    const given = { name: 'more', source, events: 'order', retry }
    const { bus, host } = await start(memoryStore(), [{ ...given, env: { BROKEN: '1' } }])
    const { runs } = await host.publish(order({}), { wait: true })
    const { suspensionId } = runs[0]!.suspension!
    await host.suspensions.resume(suspensionId, { success: true, value: 'x' })
    await until(() => runOf(host)).toMatchObject({ status: 'dead-lettered', attempts: 2 })
    expect(await host.suspensions.counts()).toEqual({ more: 0 })
    await host.bind([given] as never)
    expect(await bus.deadLetters.redrive({})).toBe(1)
    await until(() => runOf(host)).toMatchObject({ status: 'succeeded', value: ['begun', 'x', 1] })
    expect((await bus.states.list({ group: 'more', kind: 'failed' })).entries).toEqual([])
  })

  it('goes on with the code that it began with, after a new version was deployed', async () => {
    const { host } = await start()
    const { runs } = await host.publish(order({ total: 900 }), { wait: true })
    await host.bind([{ ...approval, source: 'export default () => "new"' }])
    const { suspensionId } = runs[0]!.suspension!
    await host.suspensions.resume(suspensionId, { success: true, value: { by: 'Ada' } })
    await until(() => runOf(host)).toMatchObject({ value: 'approved by Ada' })
    const other = await host.publish({ ...order({}), id: 'o2' }, { wait: true })
    expect(other.runs[0]).toMatchObject({ value: 'new' })
  })

  it('goes on after the process was started again, on the same directory', async () => {
    const path = await mkdtemp(join(tmpdir(), 'nexus-suspension-'))
    cleanups.unshift(() => rm(path, { recursive: true, force: true }))
    const before = await start(localStore({ path }))
    await before.host.publish(order({ total: 900 }), { wait: true })
    await before.close()
    const { host } = await start(localStore({ path }))
    const [found] = (await host.suspensions.list()).suspensions
    await host.suspensions.resume(found!.suspensionId, { success: true, value: { by: 'Ada' } })
    await until(() => runOf(host)).toMatchObject({ status: 'succeeded', value: 'approved by Ada' })
  })

  it('keeps an image that is larger than an event by itself', async () => {
    const source = `export default async (event, ctx) => {
      let seed = 7
      const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0)
      const data = Array.from({ length: 100_000 }, next)
      await ctx.suspend('more')
      return data.length + data[99_999] * 0
    }`
    const { bus, host } = await start(memoryStore(), [{ name: 'large', source, events: 'order' }])
    const { runs } = await host.publish(order({}), { wait: true })
    expect(await bus.states.count('large', 'image')).toBe(1)
    const { suspensionId } = runs[0]!.suspension!
    expect((await host.suspensions.export(suspensionId)).length).toBeGreaterThan(128 * 1024)
    await host.suspensions.resume(suspensionId, { success: true })
    await until(() => runOf(host)).toMatchObject({ value: 100_000 })
    expect(await bus.states.count('large', 'image')).toBe(0)
  })

  it('is erased with the event that it began with: its image, and what its parts left', async () => {
    const source = `export default async (event, ctx) => {
      let seed = 7
      const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0)
      const data = Array.from({ length: 100_000 }, next)
      ctx.log.info(event.data.secret)
      const more = await ctx.suspend('one')
      ctx.log.info(more + event.data.secret)
      await Promise.race([ctx.suspend('two', more), ctx.waitFor('never')])
      return data
    }`
    const capabilities = ['events:wait:never']
    const { bus, host } = await start(memoryStore(), [
      { name: 'knows', source, events: 'order', capabilities },
    ])
    const { runs } = await host.publish(order({ secret: 'Ada' }), { wait: true })
    const { suspensionId } = runs[0]!.suspension!
    await host.suspensions.resume(suspensionId, { success: true, value: 'Bob' })
    await until(
      async () => (await host.suspensions.list({ name: 'two' })).suspensions,
    ).toHaveLength(1)
    expect(await host.erase({ id: 'o1', source: '/shop' })).toBe(true)
    const kinds = ['call', 'failed', 'image', waitKind({ name: 'never' })]
    const kept = await Promise.all(kinds.map((kind) => bus.states.count('knows', kind)))
    expect(kept).toEqual([0, 0, 0, 0])
    const all = await Promise.all(
      (await bus.list({ limit: 1000 })).events.map(({ event: { id, source } }) =>
        bus.get(id, source),
      ),
    )
    expect(JSON.stringify(all)).not.toMatch(/Ada|Bob/)
    expect(await host.suspensions.get(suspensionId)).toBeUndefined()
    expect(await host.erase({ id: 'unknown' })).toBe(false)
  })

  it('keeps nothing when its event is erased while it runs', async () => {
    const source = `export default async (event, ctx) => { await ctx.invoke('erase'); await ctx.suspend('x') }`
    const { bus, host } = await start(memoryStore(), [
      { name: 'runs', source, events: 'order', capabilities: ['invoke:erase'] },
    ])
    const erase = async () => {
      expect(await host.erase({ id: 'o1', source: '/shop' })).toBe(true)
    }
    await bus.subscribe('nexus.invoke.erase', erase, { group: 'erase' }).ready
    const { runs } = await host.publish(order({ secret: 'Ada' }), { wait: true })
    expect(runs[0]).toMatchObject({ status: 'succeeded' })
    expect(await bus.states.count('runs', 'call')).toBe(0)
  })

  it('runs its parts in order with other events of its key', async () => {
    const source = `export default async (event, ctx) => {
      if (event.data.waits) await ctx.suspend('more')
      return event.data.customer
    }`
    const given = { name: 'keyed', source, events: 'order', orderingKey: 'data.customer' }
    const { host } = await start(memoryStore(), [given])
    const first = await host.publish(order({ customer: 'a', waits: true }), { wait: true })
    const second = await host.publish({ ...order({ customer: 'a' }), id: 'o2' }, { wait: true })
    expect(second.runs[0]).toMatchObject({ status: 'succeeded' })
    const { suspensionId } = first.runs[0]!.suspension!
    await host.suspensions.resume(suspensionId, { success: true })
    await until(() => runOf(host)).toMatchObject({ status: 'succeeded', value: 'a' })
  })
})
