import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { hasNats, hasRedis, startNats, startRedis, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer } from './nexus.js'

const password = 'correct-horse-battery'
const durable = ['--appendonly', 'yes', '--appendfsync', 'always']
const backends = [
  {
    name: 'nats',
    available: hasNats(),
    start: () => startNats(['--user', 'nexus', '--pass', password]),
  },
  {
    name: 'redis',
    available: hasRedis(),
    start: () => startRedis([...durable, '--requirepass', password]),
  },
]

const work = `export default async ({ data }, ctx) => {
  if (data.waitMs) await new Promise((done) => setTimeout(done, data.waitMs))
  await ctx.emit('done', { n: data.n })
  return { runtime: ctx.env.RUNTIME }
}`

/** A server with a password, and runtimes on it that share nothing else. */
async function cluster({ name, start }: (typeof backends)[number]) {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-shared-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await writeFile(join(cwd, 'work.js'), work)
  await writeFile(
    join(cwd, 'nexus.yaml'),
    `bus: { ${name}: { requestTimeoutMs: 3000 } }
functions:
  - { name: work, source: ./work.js, events: [work], env: [RUNTIME], ackWaitMs: 5000, concurrency: 4, capabilities: ['events:emit:done'] }
`,
  )
  const server = await untilTestEnds(start())
  const user = name === 'nats' ? 'nexus' : ''
  const runtime = async (id: string) => {
    const process = await nexusServer(['start'], {
      cwd,
      env: {
        NEXUS_BUS_URL: `${name}://${user}:${password}@127.0.0.1:${server.port}`,
        NEXUS_CACHE_SECRET: 'a-secret-of-some-length',
        CACHE_DIR: join(cwd, `cache-${id}`),
        RUNTIME: id,
      },
    })
    return { process, client: new NexusClient({ url: process.url }) }
  }
  return { server, runtime }
}

/** Other processes take over, on a machine that may be busy. */
const patience = { timeout: 60_000, interval: 200 }

function events(from: number, to: number, waitMs = 0) {
  return Array.from({ length: to - from }, (_, i) => ({
    type: 'work',
    id: `e-${from + i}`,
    data: { n: from + i, waitMs },
  }))
}

/** Ids of `work` events by how the function stands with them. */
async function finished(client: NexusClient): Promise<{ id: string; attempts: number }[]> {
  const { events } = await client.listEvents({ type: 'work', limit: 1000 })
  const details = await Promise.all(events.map(({ id }) => client.getEvent(id)))
  return details.flatMap(({ event, runs }) =>
    runs
      .filter(({ status }) => status === 'succeeded')
      .map(({ attempts }) => ({ id: event.id, attempts })),
  )
}

async function executed(client: NexusClient): Promise<number> {
  return (await client.metrics()).functions.executed
}

describe.each(backends)('runtimes on one $name server', (backend) => {
  const run = it.skipIf(!backend.available)

  run(
    'share the work and what they compile, and one goes on when another is killed',
    async () => {
      const { runtime } = await cluster(backend)
      const a = await runtime('a')
      await a.client.publishBatch(events(0, 1))
      await expect.poll(async () => (await finished(a.client)).length, patience).toBe(1)

      const b = await runtime('b')
      const scraped = await (await fetch(`${b.process.url}/metrics`)).text()
      expect(scraped).toMatch(/^nexus_cache_hits_total\{tier="shared"\} 1$/m)
      expect(scraped).toMatch(/^nexus_cache_misses_total 0$/m)

      await a.client.publishBatch(events(1, 40))
      await expect.poll(async () => (await finished(b.client)).length, patience).toBe(40)
      expect((await executed(a.client)) + (await executed(b.client))).toBe(40)
      expect((await finished(b.client)).every(({ attempts }) => attempts === 1)).toBe(true)

      const before = await executed(a.client)
      await b.client.publishBatch(events(40, 100, 200))
      await expect.poll(() => executed(a.client), patience).toBeGreaterThan(before)
      await a.process.stop('SIGKILL')
      await expect.poll(async () => (await finished(b.client)).length, patience).toBe(100)
      const { events: done } = await b.client.listEvents({ type: 'done', limit: 1000 })
      const numbers = done.map(({ data }) => (data as { n: number }).n)
      expect(numbers.sort((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, n) => n))
      expect(await b.process.stop('SIGTERM')).toBe(0)
    },
    150_000,
  )

  run(
    'are not ready while it is away, come back by themselves, and never show the password',
    async () => {
      const { server, runtime } = await cluster(backend)
      const { process, client } = await runtime('a')
      const env = { NEXUS_URL: process.url }
      const told: string[] = []
      const ready = async () => {
        const response = await fetch(`${process.url}/readyz`)
        told.push(await response.clone().text())
        return { code: response.status, ...((await response.json()) as object) }
      }
      const bus = (connected: boolean) => ({ backend: backend.name, connected })
      expect(await ready()).toEqual({ code: 200, status: 'ready', bus: bus(true) })

      await server.kill()
      await expect
        .poll(ready, patience)
        .toEqual({ code: 503, status: 'not ready', bus: bus(false) })
      const { stdout } = await nexus(['metrics'], { env })
      expect(stdout).toContain(`Bus           ${backend.name}, not connected\n`)
      expect((await fetch(`${process.url}/metrics`)).status).toBe(200)
      const refused = await client.publish({ type: 'work', data: {} }).catch((error) => error)
      expect(refused).toMatchObject({ status: 503, serverCode: 'STORE_UNAVAILABLE' })
      told.push(refused.message)

      await server.restart()
      await expect.poll(ready, patience).toEqual({ code: 200, status: 'ready', bus: bus(true) })
      const publish = () =>
        client.publish({ type: 'work', id: 'back', data: {} }).then(
          ({ id }) => id,
          ({ message }) => told.push(message),
        )
      await expect.poll(publish, patience).toBe('back')
      await expect
        .poll(async () => (await finished(client)).map(({ id }) => id), patience)
        .toEqual(['back'])
      told.push(JSON.stringify(await client.metrics()))
      expect(await process.stop('SIGTERM')).toBe(0)
      expect(process.output()).toContain(`${backend.name} at 127.0.0.1:${server.port}`)
      expect(process.output()).toContain('problem bus: lost ')
      expect([...told, process.output()].join('\n')).not.toContain(password)
    },
    150_000,
  )

  run(
    'do not start without it, and say where they looked',
    async () => {
      const { server, runtime } = await cluster(backend)
      await server.kill()
      const failure = await runtime('a').catch(({ message }: Error) => message)
      await server.restart()
      expect(failure).toMatch(/^nexus ended with 1:\n/)
      expect(failure).toContain(`127.0.0.1:${server.port}`)
      expect(failure).not.toContain(password)
      expect(failure).not.toContain('    at ')
    },
    60_000,
  )
})
