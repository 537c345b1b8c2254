import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { serve } from './workspace.js'

const token = 'a-token-of-an-operator'
const files = {
  'nexus.yaml': 'functions:\n  - { name: slow, source: ./slow.js, events: [a] }\n',
  'slow.js': 'export default () => { const end = Date.now() + 300; while (Date.now() < end); }',
}
const ask = { method: 'POST' }

it('without a token none is given, on loopback neither', async () => {
  const { send } = await serve(files)
  const answer = await send('/api/heap-snapshot', ask)
  expect(answer.status).toBe(403)
  expect(await answer.json()).toMatchObject({ error: { code: 'TOKEN_REQUIRED' } })
})

it('who has the token gets one, once no function runs, and the log says so', async () => {
  const lines: string[] = []
  const { client, send } = await serve(files, {
    env: { NEXUS_TOKEN: token },
    onLog: (line) => lines.push(line),
  })
  for (const authorization of ['', 'Bearer wrong-token-of-someone']) {
    const refused = await send('/api/heap-snapshot', { ...ask, headers: { authorization } })
    expect(refused.status).toBe(401)
  }
  const { id } = await client.publish({ type: 'a' })
  const { pauseMs, body } = await client.heapSnapshot()
  expect(pauseMs).toBeGreaterThan(0)
  const second = client.heapSnapshot()
  await expect(second).rejects.toMatchObject({
    status: 409,
    serverCode: 'HEAP_SNAPSHOT_IN_PROGRESS',
  })
  const snapshot = JSON.parse(await text(body as never))
  expect(snapshot.snapshot.node_count).toBeGreaterThan(10_000)
  await expect
    .poll(async () => (await client.getEvent(id)).runs[0])
    .toMatchObject({
      status: 'succeeded',
      attempts: 1,
    })
  const entries = lines
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => /heap snapshot/.test(msg))
  expect(entries).toMatchObject([
    { level: 'warn', address: '127.0.0.1', reason: expect.stringContaining('with the token') },
    { level: 'warn', address: '127.0.0.1', reason: expect.stringContaining('with the token') },
    { level: 'warn', address: '127.0.0.1', msg: expect.stringContaining('was asked for') },
    { level: 'warn', address: '127.0.0.1', pauseMs },
    { level: 'warn', address: '127.0.0.1', reason: expect.stringContaining('is being taken') },
  ])
  expect(lines.join('')).not.toContain('wrong-token')
  // The heap of a test runner is large.
}, 240_000)

it('a profile of the heap names what allocates', async () => {
  const { client } = await serve(files)
  const { heap } = await client.profile({ seconds: 1, heap: true })
  expect(heap?.heapProfile.profile).toHaveProperty('head')
  expect(heap?.functions[0]).toMatchObject({ selfBytes: expect.any(Number) })
  expect((await client.profile({ seconds: 1 })).heap).toBeUndefined()
})
