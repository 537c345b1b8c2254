import { EventBus, memoryStore } from '@nexus/event-bus'
import { expect, it } from 'vitest'
import { json, serve } from './serve.js'

const event = (id: string, type = 'a') => ({ specversion: '1.0', id, source: '/s', type })
const structured = { 'content-type': 'application/cloudevents+json' }
const batched = { 'content-type': 'application/cloudevents-batch+json' }

async function serveGroups() {
  const served = await serve()
  let finish = () => {}
  const working = new Promise<void>((resolve) => {
    finish = resolve
  })
  const groups = [
    served.bus.subscribe('a', () => ({ record: { value: 7, logs: [] } }), { group: 'good' }),
    served.bus.subscribe(
      'a',
      () => {
        throw new Error('never')
      },
      { group: 'bad', retry: { maxAttempts: 1 } },
    ),
    served.bus.subscribe('slow', () => working, { group: 'slow' }),
  ]
  await Promise.all(groups.map(({ ready }) => ready))
  return { ...served, finish }
}

it.each(['wait', 'wait=true'])('answers %s once every function has ended', async (query) => {
  const { send } = await serveGroups()
  const answer = await send(`/api/events?${query}`, json(event('e'), structured))
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({
    id: 'e',
    duplicate: false,
    settled: true,
    runs: [
      { function: 'bad', status: 'dead-lettered', error: { message: 'never' } },
      { function: 'good', status: 'succeeded', value: 7 },
    ],
  })
})

it('answers each event of a batch', async () => {
  const { send } = await serveGroups()
  const body = [event('1'), event('2', 'unheard')]
  const answer = await send('/api/events?wait', json(body, batched))
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({
    results: [
      { id: '1', settled: true, runs: [{ function: 'bad' }, { function: 'good' }] },
      { id: '2', settled: true, runs: [] },
    ],
  })
})

it('answers 202 when the time is over first, and says who has not ended', async () => {
  const { send, finish } = await serveGroups()
  const answer = await send('/api/events?wait&timeoutMs=20', json(event('e', 'slow'), structured))
  expect(answer.status).toBe(202)
  expect(await answer.json()).toMatchObject({ settled: false, runs: [{ function: 'slow' }] })
  finish()
})

it('waits for nothing unless it is asked to', async () => {
  const { send } = await serveGroups()
  for (const query of ['', '?wait=false']) {
    const answer = await send(`/api/events${query}`, json(event(`e${query}`), structured))
    expect(answer.status).toBe(202)
    expect(await answer.json()).toEqual({ id: `e${query}`, duplicate: false })
  }
})

it('ends the wait of a client that went away, and reports no fault', async () => {
  const faults: Error[] = []
  const bus = await EventBus.open({ store: memoryStore() })
  let started = () => {}
  const running = new Promise<void>((resolve) => {
    started = resolve
  })
  const { send, server } = await serve({ bus, onFault: (error) => faults.push(error) })
  let answered = () => {}
  const ended = new Promise<void>((resolve) => {
    answered = resolve
  })
  server.server.on('request', (_request, response) => response.once('close', answered))
  const slow = bus.subscribe(
    'slow',
    () => {
      started()
      return new Promise<void>(() => {})
    },
    { group: 'slow' },
  )
  await slow.ready
  const leave = new AbortController()
  const request = send('/api/events?wait', {
    ...json(event('e', 'slow'), structured),
    signal: leave.signal,
  })
  await running
  leave.abort()
  await expect(request).rejects.toThrow()
  await ended
  // The wait is over when the bus can close without it.
  await bus.close({ drainTimeoutMs: 0 })
  expect(faults).toEqual([])
})

it.each(['wait=yes', 'wait&timeoutMs=0', 'wait&timeoutMs=x', 'wait&timeout=1', 'wait&wait'])(
  'refuses ?%s',
  async (query) => {
    const { send } = await serveGroups()
    const answer = await send(`/api/events?${query}`, json(event('e'), structured))
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: 'INVALID_QUERY' } })
    expect((await send('/api/events/e')).status).toBe(404)
  },
)
