import { createHmac } from 'node:crypto'
import { type ListQuery, memoryStore } from '@nexus/event-bus'
import { describe, expect, it, onTestFinished } from 'vitest'
import { json, serve } from './serve.js'

interface Page {
  events: { id: string; data?: unknown; dataOmitted?: { bytes: number; href: string } }[]
  total?: number
  cursor?: string
}

it('lists every event once, on pages that are bounded by bytes', async () => {
  const { bus, send } = await serve({ maxPageBytes: 10_000, maxListedDataBytes: 4000 })
  const sizes = Array.from({ length: 150 }, (_, n) => (n * 97) % 3000)
  await bus.publishBatch(
    sizes.map((size, n) => ({ type: 'a', id: `e-${n}`, data: 'x'.repeat(size) })),
  )
  const ids: string[] = []
  let cursor = ''
  let pages = 0
  do {
    const response = await send(`/api/events?limit=1000${cursor && `&cursor=${cursor}`}`)
    const text = await response.text()
    expect(text.length).toBeLessThan(10_000 + 3500)
    const page = JSON.parse(text) as Page
    expect(page.total).toBe(150)
    ids.push(...page.events.map(({ id }) => id))
    cursor = page.cursor ?? ''
    pages += 1
  } while (cursor)
  expect(ids).toEqual(sizes.map((_, n) => `e-${149 - n}`))
  expect(pages).toBeGreaterThan(10)
})

it('has exactly as many events on a page as were asked for, over several reads of the store', async () => {
  const { bus, send } = await serve()
  await bus.publishBatch(Array.from({ length: 320 }, () => ({ type: 'a' })))
  for (const limit of [1, 99, 100, 101, 150, 300]) {
    const { events, cursor } = (await (await send(`/api/events?limit=${limit}`)).json()) as Page
    expect([limit, events.length, typeof cursor]).toEqual([limit, limit, 'string'])
  }
})

it('counts the bytes of a page over several reads of the store', async () => {
  const maxPageBytes = 40_000
  const { bus, send } = await serve({ maxPageBytes })
  await bus.publishBatch(Array.from({ length: 600 }, (_, n) => ({ type: 'a', data: n })))
  const text = await (await send('/api/events?limit=1000')).text()
  const { events } = JSON.parse(text) as Page
  expect(events.length).toBeGreaterThan(200)
  expect(JSON.stringify(events).length).toBeLessThanOrEqual(maxPageBytes)
})

describe('the query is bounded', () => {
  const bytes = (count: number) =>
    encodeURIComponent('\u00e9'.repeat(count / 2) + 'x'.repeat(count % 2))

  it.each([
    ['type', 512, 'GET', '/api/events?type='],
    ['cursor', 1024, 'GET', '/api/events?cursor='],
    ['source', 512, 'GET', '/api/events/none?source='],
    ['source', 512, 'POST', '/api/events/none/replay?source='],
    ['source', 512, 'DELETE', '/api/events/none/data?source='],
    ['reason', 512, 'DELETE', '/api/events/none/data?reason='],
  ])('%s to %i bytes: %s %s', async (name, most, method, path) => {
    const { send } = await serve()
    const codeOf = async (count: number) => {
      const answer = await send(path + bytes(count), { method })
      return ((await answer.json()) as { error?: { code: string; message: string } }).error
    }
    expect((await codeOf(most))?.code).not.toBe('INVALID_QUERY')
    const refusal = { code: 'INVALID_QUERY', message: expect.stringContaining(`${name}: `) }
    for (const count of [most + 1, most + 2, 2 * most]) {
      expect(await codeOf(count)).toMatchObject(refusal)
    }
  })

  it('the number of events to 1 to 1000', async () => {
    const { send } = await serve()
    for (const [limit, status] of [
      ['0', 400],
      ['1', 200],
      ['1000', 200],
      ['1001', 400],
      ['1e3', 400],
      ['-1', 400],
      ['', 400],
    ]) {
      expect([limit, (await send(`/api/events?limit=${limit}`)).status]).toEqual([limit, status])
    }
  })
})

it('gives other requests a turn between the reads of one page', async () => {
  const store = memoryStore()
  const list = store.list.bind(store)
  let turn = 0
  const next = () => {
    turn += 1
    timer = setImmediate(next)
  }
  let timer = setImmediate(next)
  onTestFinished(() => clearImmediate(timer))
  const turns: number[] = []
  Object.assign(store, {
    list: (query: ListQuery) => {
      turns.push(turn)
      return list(query)
    },
  })
  const { bus, send } = await serve({}, { store })
  await bus.publishBatch(Array.from({ length: 500 }, () => ({ type: 'a' })))
  const { events } = (await (await send('/api/events?limit=500')).json()) as Page
  expect(events).toHaveLength(500)
  expect(turns.length).toBeGreaterThanOrEqual(5)
  expect(new Set(turns).size).toBe(turns.length)
})

it('reads a bounded number of bytes for one page, however little of them is listed', async () => {
  const store = memoryStore()
  const list = store.list.bind(store)
  let read = 0
  Object.assign(store, {
    list: async (query: ListQuery) => {
      const page = await list(query)
      read += JSON.stringify(page.events).length
      return page
    },
  })
  const maxPageBytes = 10_000
  const { bus, send } = await serve({ maxPageBytes, maxListedDataBytes: 100 }, { store })
  await bus.publishBatch(
    Array.from({ length: 300 }, (_, n) => ({ type: 'a', id: `e-${n}`, data: 'x'.repeat(2_000) })),
  )
  const ids: string[] = []
  let cursor: string | undefined
  let most = 0
  do {
    read = 0
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = (await (await send(`/api/events?limit=1000${query}`)).json()) as Page
    ids.push(...page.events.map(({ id }) => id))
    cursor = page.cursor
    most = Math.max(most, read)
  } while (cursor)
  expect(ids).toEqual(Array.from({ length: 300 }, (_, n) => `e-${299 - n}`))
  // One read more than the limit may be under way, and one for the cursor.
  expect(most).toBeLessThan(maxPageBytes * 8 + 3 * maxPageBytes)
})

it('names large data by its size and where it is', async () => {
  const { bus, send } = await serve({ maxListedDataBytes: 100 })
  await bus.publish({ type: 'a', id: 'a/b ?', source: '/s&', data: 'x'.repeat(98) })
  await bus.publish({ type: 'a', id: 'a/b ?', source: '/t', data: 'x'.repeat(99) })
  await bus.publish({ type: 'a', id: 'bytes', data_base64: Buffer.alloc(101).toString('base64') })
  const { events } = (await (await send('/api/events')).json()) as Page
  expect(events.map(({ dataOmitted }) => dataOmitted?.bytes)).toEqual([101, 101, undefined])
  const [, second] = events
  expect(second).not.toHaveProperty('data')
  const { event } = (await (await send(second!.dataOmitted!.href)).json()) as { event: object }
  expect(event).toMatchObject({ source: '/t', data: 'x'.repeat(99) })
  expect((await send('/api/events/a%2Fb%20%3F')).status).toBe(409)
})

it('keeps text and bytes as they came', async () => {
  const { bus, send } = await serve()
  const ce = { 'ce-specversion': '1.0', 'ce-source': '/s', 'ce-type': 'a' }
  const post = async (id: string, type: string, body: Uint8Array<ArrayBuffer>) =>
    (
      await send('/api/events', {
        method: 'POST',
        headers: { ...ce, 'ce-id': id, 'content-type': type },
        body,
      })
    ).status
  expect(await post('1', 'text/plain; charset=iso-8859-1', Buffer.from([0xe9]))).toBe(202)
  expect(await post('2', 'application/octet-stream', Buffer.from([0, 255, 128]))).toBe(202)
  expect((await bus.get('1'))?.event.data).toBe('é')
  expect((await bus.get('2'))?.event.data_base64).toBe('AP+A')
})

it('takes a signed webhook without the token, and stores a replay of it once', async () => {
  const secret = "It's a Secret to Everybody"
  const { bus, send } = await serve({
    token: 'a-token-of-some-length',
    webhooks: { hub: { scheme: 'github', secrets: [secret], type: 'com.github' } },
  })
  const body = '{"zen":"Keep it logically awesome."}'
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const post = async (name: string, more: Record<string, string>) =>
    (await send(`/api/webhooks/${name}`, json(body, more))).status
  const signed = { 'x-hub-signature-256': signature, 'x-github-event': 'ping' }
  expect(await post('hub', signed)).toBe(202)
  expect(await post('hub', { ...signed, 'x-github-event': 'com.admin.delete' })).toBe(202)
  expect(await post('hub', { 'x-github-event': 'ping' })).toBe(401)
  expect(await post('__proto__', signed)).toBe(404)
  expect((await send('/api/webhook', json(body, signed))).status).toBe(401)
  const { events } = await bus.list()
  expect(events.map(({ event: { type, source } }) => [type, source])).toEqual([
    ['com.github.ping', '/webhooks/hub'],
  ])
})

it('erases the data of an event, and keeps its envelope with time and reason', async () => {
  const { bus, send } = await serve()
  for (const source of ['/one', '/two']) {
    await bus.publish({ type: 'a', id: 'e', source, data: 'a telling text' })
  }
  const erase = (query: string) => send(`/api/events/e/data${query}`, { method: 'DELETE' })
  expect((await erase('')).status).toBe(409)
  expect((await send('/api/events/none/data', { method: 'DELETE' })).status).toBe(404)
  expect((await erase('?why=x')).status).toBe(400)

  const answer = await erase('?source=/one&reason=asked')
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({
    id: 'e',
    erased: { at: expect.any(String), reason: 'asked' },
  })
  const one = await (await send('/api/events/e?source=/one')).json()
  expect(one).toMatchObject({ event: { id: 'e', source: '/one' }, erased: { reason: 'asked' } })
  expect(JSON.stringify(one)).not.toContain('a telling text')
  const two = await (await send('/api/events/e?source=/two')).json()
  expect(two).toMatchObject({ event: { data: 'a telling text' } })
})
