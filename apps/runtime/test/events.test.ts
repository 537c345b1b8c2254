import { describe, expect, it } from 'vitest'
import { json, serve, settled } from './workspace.js'

const empty = { 'nexus.yaml': 'functions: []\n' }
const two = {
  'nexus.yaml': `functions:
  - name: total
    source: ./total.ts
    events: [order.created]
    capabilities: [events:emit:order.totalled]
  - { name: receipt, source: ./receipt.js, events: ['order.*'] }
`,
  'total.ts': `import { sum } from './sum.js'
export default async (event: { data: { prices: number[] } }, ctx: any) => {
  const total: number = sum(event.data.prices)
  ctx.log.info('totalled', { total })
  await ctx.emit('order.totalled', { total })
  return { total }
}`,
  'sum.ts': 'export const sum = (all: number[]): number => all.reduce((a, b) => a + b, 0)',
  'receipt.js': 'export default (event) => event.type',
}

describe('POST /api/webhook', () => {
  it('takes any JSON when a header names the type', async () => {
    const { send, client } = await serve(empty)
    for (const body of ['[1,2]', '"text"', 'null', '{"type":"inner"}']) {
      const response = await send('/api/webhook', json(body, { 'x-nexus-event-type': 'outer' }))
      expect(response.status).toBe(202)
      const { id } = (await response.json()) as { id: string }
      const { event } = await client.getEvent(id)
      expect(event).toMatchObject({ type: 'outer', source: '/webhook', data: JSON.parse(body) })
    }
  })

  it('takes type, id, source and data from the body', async () => {
    const { send, client } = await serve(empty)
    const body = { type: 'a.b', id: 'evt_1', source: '/shop', data: { n: 1 } }
    const response = await send('/api/webhook', json(body))
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ id: 'evt_1', duplicate: false })
    expect((await client.getEvent('evt_1')).event).toMatchObject({ ...body, specversion: '1.0' })
  })

  it('keeps the whole body as data where it has none of its own', async () => {
    const { send, client } = await serve(empty)
    await send('/api/webhook', json({ type: 'a.b', id: 'x', amount: 5 }))
    expect((await client.getEvent('x')).event.data).toEqual({ type: 'a.b', id: 'x', amount: 5 })
  })

  it('stores a delivery that is repeated once', async () => {
    const { send, client } = await serve(empty)
    const delivery = () => send('/api/webhook', json({ type: 'a' }, { 'x-nexus-event-id': 'd-1' }))
    expect(await (await delivery()).json()).toMatchObject({ id: 'd-1', duplicate: false })
    expect(await (await delivery()).json()).toMatchObject({ id: 'd-1', duplicate: true })
    expect((await client.listEvents()).total).toBe(1)
    expect((await client.metrics()).events.published).toBe(1)
  })
})

describe('POST /api/events', () => {
  const event = { specversion: '1.0', id: 'e-1', source: '/test', type: 'a.b', data: { n: 1 } }

  it('takes a structured CloudEvent', async () => {
    const { send, client } = await serve(empty)
    const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
    const response = await send('/api/events', json({ ...event, region: 'eu' }, headers))
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ id: 'e-1', duplicate: false })
    expect((await client.getEvent('e-1')).event).toMatchObject({ ...event, region: 'eu' })
  })

  it('takes a binary CloudEvent', async () => {
    const { send, client } = await serve(empty)
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'e-2',
      'ce-source': '/test',
      'ce-type': 'a.b',
      'ce-region': 'eu',
    }
    expect((await send('/api/events', json({ n: 2 }, headers))).status).toBe(202)
    expect((await client.getEvent('e-2')).event).toMatchObject({
      id: 'e-2',
      type: 'a.b',
      region: 'eu',
      data: { n: 2 },
    })
  })

  it('takes a batch', async () => {
    const { send, client } = await serve(empty)
    const headers = { 'content-type': 'application/cloudevents-batch+json' }
    const response = await send('/api/events', json([event, { ...event, id: 'e-3' }], headers))
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ results: [{ id: 'e-1' }, { id: 'e-3' }] })
    expect((await client.listEvents()).total).toBe(2)
  })
})

describe('the life of an event', () => {
  it('runs each function that listens, and what it emits runs the next', async () => {
    const { client } = await serve(two)
    const { id } = await client.publish({ type: 'order.created', data: { prices: [1, 2, 3.5] } })
    const { runs, event, publishedAt } = await settled(client, id)
    expect(Date.parse(publishedAt)).toBeGreaterThan(0)
    expect(event.data).toEqual({ prices: [1, 2, 3.5] })
    const [receipt, total] = runs.sort((a, b) => a.function.localeCompare(b.function))
    expect(receipt).toMatchObject({ function: 'receipt', status: 'succeeded', value: event.type })
    expect(total).toMatchObject({
      function: 'total',
      status: 'succeeded',
      attempts: 1,
      value: { total: 6.5 },
      logs: [{ level: 'info', message: 'totalled', fields: { total: 6.5 } }],
    })
    expect(total?.durationMs).toBeGreaterThan(0)
    expect(total?.error).toBeUndefined()

    const emitted = await client.listEvents({ type: 'order.totalled' })
    expect(emitted.events).toMatchObject([{ source: '/functions/total', data: { total: 6.5 } }])
    expect((await settled(client, emitted.events[0]!.id)).runs).toMatchObject([
      { function: 'receipt', value: 'order.totalled' },
    ])
  })

  it('can be run once more', async () => {
    const { client } = await serve(two)
    const { id } = await client.publish({ type: 'order.cancelled' })
    await settled(client, id)
    await client.replay(id)
    const { runs } = await settled(client, id)
    expect(runs).toMatchObject([{ function: 'receipt', status: 'succeeded', replays: 1 }])
    expect(await client.metrics()).toMatchObject({
      events: { published: 1, replayed: 1, failed: 0, successRatePercent: 100 },
      functions: { executed: 2, succeeded: 2, failed: 0, successRatePercent: 100 },
    })
  })

  it('keeps the order of one key', async () => {
    const { client } = await serve({
      'nexus.yaml':
        'functions:\n  - { name: fn, source: ./fn.js, events: [a], concurrency: 8, orderingKey: data.key, isolation: shared }\n',
      'fn.js':
        'const seen = {}; export default (event) => { const k = event.data.key; (seen[k] ??= []).push(event.data.n); return seen[k] }',
    })
    const ids: string[] = []
    for (let n = 0; n < 20; n++) {
      const { id } = await client.publish({ type: 'a', data: { key: 'k', n } })
      ids.push(id)
    }
    const finished = await Promise.all(ids.map((id) => settled(client, id)))
    const updates = finished.map(({ runs }) => runs[0]!.updatedAt)
    expect(updates).toEqual([...updates].sort())
  })
})

describe('GET /api/events', () => {
  it('pages through the log, newest first', async () => {
    const { client } = await serve(empty)
    await client.publishBatch(Array.from({ length: 25 }, (_, n) => ({ type: 'a', id: `e-${n}` })))
    const page = await client.listEvents()
    expect(page.total).toBe(25)
    expect(page.events).toHaveLength(20)
    expect(page.events[0]?.id).toBe('e-24')
    const ids: string[] = []
    for await (const { id } of client.events({}, 7)) ids.push(id)
    expect(ids).toEqual(Array.from({ length: 25 }, (_, n) => `e-${24 - n}`))
  })

  it('filters by type', async () => {
    const { client } = await serve(empty)
    for (const type of ['a.b', 'a.c', 'b.c']) await client.publish({ type })
    expect((await client.listEvents({ type: 'a.b' })).total).toBe(1)
    expect((await client.listEvents({ type: 'a.*' })).events).toHaveLength(2)
  })
})
