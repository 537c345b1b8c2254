import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, type EventInput, localStore, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost } from '@nexus/functions'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { callIdOf } from '../src/suspension/call-id.js'
import { waitKind } from '../src/suspension/events/event-wait.js'

const runtime = new WasmRuntime({ threads: 1 })
afterAll(() => runtime.shutdown())
/** What a function does at its `await ctx.call('test', 'gate')`. */
let gate: () => Promise<unknown> = async () => {}
runtime.extend('test', { gate: () => gate().then(() => null) })

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  gate = async () => {}
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const shop = (body: string, more: object = {}) => ({
  name: 'shop',
  source: `export default async (event, ctx) => { ${body} }`,
  events: 'order',
  capabilities: ['events:wait:paid.>', 'events:wait:sent', 'events:emit:*', 'ext:test'],
  ...more,
})

async function start(functions: readonly object[], store = memoryStore()) {
  const bus = await EventBus.open({ store })
  const host = new FunctionHost({ bus, runtime })
  await host.bind(functions as never)
  let isClosed = false
  const close = async () => {
    if (isClosed) return
    isClosed = true
    await host.close()
    await bus.close()
  }
  cleanups.push(close)
  return { bus, host, close }
}

const order = (id = 'o1', data: object = {}) => ({ type: 'order', id, source: '/shop', data })
const paid = (orderId: string, type = 'paid.card') => ({ type, source: '/bank', data: { orderId } })
const runOf = async (host: FunctionHost, id = 'o1') =>
  (await host.runs({ id, source: '/shop' }))?.find((run) => run.function === 'shop')
const until = (check: () => Promise<unknown>) => expect.poll(check, { timeout: 20_000 })

/** Publishes an event, and resolves once the function's waits have been looked up for it. */
async function publishUntilLookedUp(bus: EventBus, event: EventInput, id = 'p') {
  await bus.publish({ ...event, id }, { wait: { groups: ['nexus-waits-shop'] } })
}

const WAIT_PAID = `const paid = await ctx.waitFor('paid.*', { match: { 'data.orderId': event.id } }); return [paid.type, paid.data]`

describe('ctx.waitFor', () => {
  it('goes on with the first event that matches, and wakes no other call', async () => {
    const { bus, host } = await start([shop(WAIT_PAID)])
    for (const id of ['o1', 'o2']) await host.publish(order(id), { wait: true })
    const [found] = (await host.suspensions.list()).suspensions
    expect(found!.wakes).toEqual([
      {
        suspensionId: found!.suspensionId,
        kind: 'event',
        name: 'paid.*',
        data: { 'data.orderId': found!.event.id },
      },
    ])
    await publishUntilLookedUp(bus, { ...paid('o1'), type: 'paid.by.card' }, 'deeper')
    await publishUntilLookedUp(bus, { type: 'paid.card', data: {} }, 'no order')
    await publishUntilLookedUp(bus, paid('o3'), 'other')
    const outcome = await host.publish({ ...paid('o2'), id: 'right' }, { wait: true })
    // It starts no function.
    expect(outcome).toMatchObject({ settled: true, runs: [] })
    expect(await host.runs({ id: 'right' })).toEqual([])
    await until(() => runOf(host, 'o2')).toMatchObject({
      status: 'succeeded',
      value: ['paid.card', { orderId: 'o2' }],
      resumes: 1,
    })
    expect(await runOf(host, 'o1')).toMatchObject({ status: 'suspended' })
    expect(await host.suspensions.counts()).toEqual({ shop: 1 })
  })

  it('counts from where it was called: an event that came before the call was frozen wakes it', async () => {
    const { bus, host } = await start([
      shop(
        `const paid = ctx.waitFor('paid.*'); await ctx.call('test', 'gate'); return (await paid).data`,
      ),
    ])
    gate = () => publishUntilLookedUp(bus, paid('early'))
    await host.publish(order())
    await until(() => runOf(host)).toMatchObject({ value: { orderId: 'early' }, resumes: 1 })
  })

  it('is not woken by what came before, nor by the event that its call began with', async () => {
    const { bus, host } = await start([
      shop(`await ctx.call('test', 'gate'); return (await ctx.waitFor('paid.>')).data`, {
        events: ['order', 'paid.>'],
      }),
    ])
    await publishUntilLookedUp(bus, paid('long before'), 'p1')
    await until(async () => (await host.suspensions.counts()).shop).toBe(1)
    await host.publish(order())
    await until(async () => (await host.suspensions.counts()).shop).toBe(2)
    await publishUntilLookedUp(bus, paid('after'), 'p2')
    await until(() => runOf(host)).toMatchObject({ value: { orderId: 'after' } })
    const [first] = (await host.runs({ id: 'p1' }))!
    expect(first).toMatchObject({ status: 'succeeded', value: { orderId: 'after' } })
  })

  it('waits for an event that is published for later until it is due', async () => {
    const { bus, host } = await start([
      shop(
        `const paid = ctx.waitFor('paid.*'); await ctx.call('test', 'gate'); await paid; return Date.now()`,
      ),
    ])
    const dueAt = Date.now() + 500
    gate = () => bus.publish(paid('later'), { deliverAt: new Date(dueAt) })
    await host.publish(order())
    await until(async () => (await runOf(host))?.status).toBe('succeeded')
    expect((await runOf(host))!.value).toBeGreaterThanOrEqual(dueAt)
  })

  it('fails with TIMEOUT when its time is over, and with CANCELLED when it is cancelled', async () => {
    const { host } = await start([
      shop(
        `try { await ctx.waitFor('sent', { timeoutMs: event.data.timeoutMs }) } catch (error) { return error.code }`,
      ),
    ])
    await host.publish(order('o1', { timeoutMs: 50 }))
    await until(() => runOf(host)).toMatchObject({ value: 'TIMEOUT' })
    const { runs } = await host.publish(order('o2'), { wait: true })
    await host.suspensions.cancel(runs[0]!.suspension!.suspensionId)
    await until(() => runOf(host, 'o2')).toMatchObject({ value: 'CANCELLED' })
  })

  it('stands beside suspend and sleep, in loops, and loses no event that came while the call went on', async () => {
    const { bus, host } = await start([
      shop(`
        const log = []
        for (let n = 0; n < 3; n++) {
          const [a, b, c] = await Promise.all([
            ctx.waitFor('paid.*', { match: { 'data.orderId': 'n' + n } }),
            ctx.waitFor('sent', { match: { 'data.n': n } }),
            ctx.suspend('c', n),
          ])
          log.push([a.data.orderId, b.data.n, c])
          log.push(await Promise.race([ctx.sleep(1).then(() => 'slept'), ctx.waitFor('sent')]))
        }
        return log`),
    ])
    await host.publish(order())
    for (let n = 0; n < 3; n++) {
      const asked = async () => {
        const [call] = (await host.suspensions.list({ name: 'c' })).suspensions
        return call?.wakes.find(({ name, data }) => name === 'c' && data === n)
      }
      await until(asked).toBeDefined()
      const wake = (await asked())!
      await Promise.all([
        bus.publish(paid(`n${n}`)),
        bus.publish({ type: 'sent', data: { n } }),
        host.suspensions.resume(wake.suspensionId, { success: true, value: n }),
      ])
    }
    await until(() => runOf(host)).toMatchObject({
      status: 'succeeded',
      value: [0, 1, 2].flatMap((n) => [[`n${n}`, n, n], 'slept']),
    })
    expect(await host.suspensions.counts()).toEqual({ shop: 0 })
  })

  it('takes each event once in a loop, and leaves nothing behind', async () => {
    const { bus, host } = await start([
      shop(
        `const seen = []; while (seen.length < 5) seen.push((await ctx.waitFor('sent')).data); return seen`,
      ),
    ])
    await host.publish(order())
    for (let n = 0; n < 5; n++) {
      await until(() => runOf(host)).toMatchObject({
        status: 'suspended',
        ...(n > 0 && { resumes: n }),
      })
      await publishUntilLookedUp(bus, { type: 'sent', data: n }, `s${n}`)
    }
    await until(() => runOf(host)).toMatchObject({ value: [0, 1, 2, 3, 4], resumes: 5 })
    const kind = waitKind({ name: 'sent' })
    expect(await bus.states.count('shop', kind)).toBe(0)
    const left = (await bus.list({ type: 'nexus.resume.shop', limit: 1000 })).events
    expect(
      left.filter(({ event }) => (event.data as { kind: string }).kind === 'resume'),
    ).toHaveLength(5)
  })

  it('needs the capability for the pattern, which it is given anew for each call', async () => {
    const { host } = await start([
      shop(`
        const codes = []
        for (const pattern of ['paid', 'paid.>', 'sent.>', '>', 'nexus.resume.shop', 'a..>.b'])
          await Promise.race([ctx.waitFor(pattern), ctx.call('test', 'gate')]).catch((error) => codes.push(error.code ?? error.message))
        const wrong = [[], [1], ['sent', { match: { 'data.id': undefined } }], ['sent', { match: [new Date()] }], ['sent', { timeoutMs: 'soon' }]]
        for (const args of wrong) await ctx.waitFor(...args).catch((error) => codes.push(error.message.split(':')[0]))
        return codes`),
    ])
    const { runs } = await host.publish(order(), { wait: true })
    const denied = 'PERMISSION_DENIED'
    expect(runs[0]!.value).toEqual([
      denied,
      denied,
      denied,
      denied,
      'Suspending for a..>.b: wrong arguments',
      ...Array.from({ length: 5 }, () => 'ctx.waitFor'),
    ])
  })

  it('is woken by what was published while no process ran, on the same directory', async () => {
    const path = await mkdtemp(join(tmpdir(), 'nexus-waits-'))
    cleanups.unshift(() => rm(path, { recursive: true, force: true }))
    const before = await start([shop(WAIT_PAID)], localStore({ path }))
    await before.host.publish(order(), { wait: true })
    await before.close()
    const bus = await EventBus.open({ store: localStore({ path }) })
    await bus.publish(paid('o1'))
    await bus.close()
    const { host } = await start([shop(WAIT_PAID)], localStore({ path }))
    await until(() => runOf(host)).toMatchObject({ value: ['paid.card', { orderId: 'o1' }] })
  })

  it('is looked for again where a wake-up comes before its call is stored, until that is decided', async () => {
    const { bus, host } = await start([
      shop(`await ctx.call('test', 'gate'); await ctx.suspend('x')`),
    ])
    let open = () => {}
    const isReached = new Promise<void>((reached) => {
      gate = () => {
        reached()
        return new Promise<void>((resolve) => {
          open = resolve
        })
      }
    })
    await host.publish(order())
    await isReached
    const { event } = (await bus.get('o1', '/shop'))!
    const type = 'nexus.resume.shop'
    const by = { id: 'o1', source: '/shop' }
    const of = { callId: callIdOf(event, 'shop', 0), leg: 1, imageId: 'x', by }
    await bus.publish({ type, source: '/suspensions', data: { kind: 'look', ...of } })
    const wakes = async () => {
      const { events } = await bus.list({ type, limit: 1000 })
      return events.map((one) => (one.event.data as { early?: number }).early)
    }
    await until(wakes).toContain(1)
    open()
    await until(() => runOf(host)).toMatchObject({ status: 'suspended' })
    const left = async () => (await bus.list({ type, status: 'pending' })).events
    await until(left).toEqual([])
  })

  it('takes the event from the log: what was erased there is in no resume', async () => {
    const { bus, host } = await start([shop(`return (await ctx.waitFor('sent')).data ?? 'erased'`)])
    await host.publish(order(), { wait: true })
    await host.pause('shop')
    await publishUntilLookedUp(bus, { type: 'sent', data: 'a secret' })
    await bus.erase({ id: 'p' })
    expect(JSON.stringify(await bus.list({ limit: 1000 }))).not.toContain('a secret')
    await host.resume('shop')
    await until(() => runOf(host)).toMatchObject({ value: 'erased' })
  })

  it('keeps names free that begin as those of its groups do', async () => {
    await expect(start([shop('', { name: 'nexus-waits-shop' })])).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  })
})
