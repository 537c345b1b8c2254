import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CloudEventPage, NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexusServer } from './nexus.js'

const clients = 10
/** Events of 1 MB, whose data is not listed, and events whose data is. */
const large = 120
const small = 300
const smallBytes = 15_000
/** What a page lists at most: 4 MiB, and the event that fills it. */
const pageBytes = 4 * 1024 * 1024 + smallBytes + 1000

it('a server with a heap of 100 MB lists 120 MB of events to ten clients at once', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-heap-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await writeFile(join(cwd, 'nexus.yaml'), 'functions: []\n')
  const env = { NODE_OPTIONS: '--max-old-space-size=100' }
  const server = await nexusServer(['start'], { cwd, env })
  onTestFinished(() => void console.log(server.output().slice(-3000)))
  const client = new NexusClient({ url: server.url, timeoutMs: 120_000 })
  const data = 'x'.repeat(1_000_000)
  await inParallel(4, large, (n) => client.publish({ type: 'large', id: `large-${n}`, data }))
  const listed = 'y'.repeat(smallBytes)
  for (let n = 0; n < small; n += 50) {
    await client.publishBatch(
      Array.from({ length: 50 }, (_, i) => ({ type: 'small', id: `small-${n + i}`, data: listed })),
    )
  }

  const ask = async (path: string) => {
    const response = await fetch(server.url + path)
    return { status: response.status, text: await response.text() }
  }
  const queries = [
    'limit=1000',
    'limit=1000&type=large',
    'limit=1000&type=small',
    'limit=1000&type=>',
  ]
  for (const query of queries) {
    const pages = await atOnce(() => ask(`/api/events?${query}`))
    for (const { status, text } of pages) {
      expect(status).toBe(200)
      expect(text.length).toBeLessThan(pageBytes)
      const { events, cursor } = JSON.parse(text) as CloudEventPage
      expect(events.length).toBeGreaterThan(0)
      expect(events.length).toBeLessThan(query.includes('large') ? large : small)
      expect(cursor).toEqual(expect.any(String))
    }
  }

  const expected = [...ids('large', large), ...ids('small', small)].sort()
  const followed = await atOnce(async () => {
    const found: string[] = []
    for await (const { id } of client.events({}, 1000)) found.push(id)
    return found
  }, 3)
  for (const found of followed) expect(found.toSorted()).toEqual(expected)

  const others = ['/api/metrics', '/metrics', '/api/optimizations', '/api/performance', '/readyz']
  await Promise.all([
    ...others.map((path) => atOnce(() => ask(path))),
    atOnce(async () => {
      const { event } = await client.getEvent('large-7')
      expect(event.data).toHaveLength(1_000_000)
    }),
  ])
  expect((await ask('/healthz')).status).toBe(200)
  expect(server.output()).not.toMatch(/heap|GC|ERROR/)
  expect(await server.stop('SIGTERM')).toBe(0)
}, 240_000)

function ids(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${name}-${n}`)
}

function atOnce<T>(ask: () => Promise<T>, count = clients): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, ask))
}

async function inParallel(width: number, count: number, act: (n: number) => Promise<unknown>) {
  let next = 0
  const work = async () => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: width }, work))
}
