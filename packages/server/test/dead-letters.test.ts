import { expect, it } from 'vitest'
import { serve } from './serve.js'

/** Two functions that fail until `mend` is called, each with an event of its own. */
async function serveFailures() {
  const served = await serve()
  let isBroken = true
  const handler = () => {
    if (isBroken) throw Object.assign(new Error('no'), { code: 'E_NO' })
  }
  for (const group of ['a', 'b']) {
    await served.bus.subscribe(group, handler, { group, retry: { maxAttempts: 1 } }).ready
    await served.bus.publish({ type: group, id: `e-${group}`, source: '/s' }, { wait: true })
  }
  const list = async (query = '') =>
    (await (await served.send(`/api/dead-letters${query}`)).json()) as {
      deadLetters: { function: string }[]
      total: number
      cursor?: string
    }
  const mend = () => {
    isBroken = false
  }
  return { ...served, list, mend }
}

it('lists what functions gave up on, page by page', async () => {
  const { list } = await serveFailures()
  const first = await list('?limit=1')
  expect(first).toMatchObject({ total: 2, cursor: expect.any(String) })
  expect(first.deadLetters).toEqual([
    {
      function: 'a',
      event: { id: 'e-a', source: '/s', type: 'a' },
      attempts: 1,
      deadLetteredAt: expect.any(String),
      error: { code: 'E_NO', message: 'no' },
    },
  ])
  const next = await list(`?limit=1&cursor=${encodeURIComponent(first.cursor!)}`)
  expect(next.deadLetters).toMatchObject([{ function: 'b' }])
  expect((await list('?function=b')).total).toBe(1)
  expect((await list('?id=none')).total).toBe(0)
})

it('delivers those of a function again, and leaves the others', async () => {
  const { send, list, mend, bus } = await serveFailures()
  mend()
  const answer = await send('/api/dead-letters/redrive?function=a', { method: 'POST' })
  expect([answer.status, await answer.json()]).toEqual([202, { redriven: 1 }])
  await expect.poll(async () => (await bus.get('e-a'))?.deliveries[0]?.status).toBe('succeeded')
  expect((await list()).deadLetters).toMatchObject([{ function: 'b' }])
})

it('forgets one, then all of them', async () => {
  const { send, list } = await serveFailures()
  const one = await send('/api/dead-letters?id=e-a&source=/s', { method: 'DELETE' })
  expect([one.status, await one.json()]).toEqual([200, { purged: 1 }])
  const all = await send('/api/dead-letters?all=true', { method: 'DELETE' })
  expect(await all.json()).toEqual({ purged: 1 })
  expect((await list()).total).toBe(0)
})

it.each([
  ['DELETE', '/api/dead-letters'],
  ['DELETE', '/api/dead-letters?source=/s'],
  ['DELETE', '/api/dead-letters?all=true&function=a'],
  ['POST', '/api/dead-letters/redrive'],
  ['POST', '/api/dead-letters/redrive?all=false'],
  ['POST', '/api/dead-letters/redrive?group=a'],
  ['GET', '/api/dead-letters?limit=0'],
])('refuses %s %s, and changes nothing', async (method, path) => {
  const { send, list } = await serveFailures()
  const answer = await send(path, { method })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { code: 'INVALID_QUERY' } })
  expect((await list()).total).toBe(2)
})
