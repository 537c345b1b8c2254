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

const wait = `export default async ({ id, data }, ctx) => {
  if (data.pays) {
    const paid = await ctx.waitFor('paid.*', { match: { 'data.order': id } })
    return { answer: paid.data.by, runtime: ctx.env.RUNTIME }
  }
  if (data.sleepMs) await ctx.sleep(data.sleepMs)
  const answer = data.sleepMs ? 'slept' : await ctx.suspend('question', data)
  return { answer, runtime: ctx.env.RUNTIME }
}`

/**
 * A server with a password, and runtimes on it that share nothing else.
 *
 * @param more functions beside `work`, as lines of nexus.yaml
 */
async function cluster({ name, start }: (typeof backends)[number], more = '') {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-shared-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await writeFile(join(cwd, 'work.js'), work)
  await writeFile(join(cwd, 'wait.js'), wait)
  await writeFile(
    join(cwd, 'nexus.yaml'),
    `bus: { ${name}: { requestTimeoutMs: 3000 } }
functions:
  - { name: work, source: ./work.js, events: [work], env: [RUNTIME], ackWaitMs: 5000, concurrency: 4, capabilities: ['events:emit:done'] }
${more}`,
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
    'pause a function together, and stay so after a restart',
    async () => {
      const { runtime } = await cluster(backend)
      const [a, b] = [await runtime('a'), await runtime('b')]
      await a.client.pauseFunction('work', { reason: 'maintenance' })
      const paused = async () => (await b.client.functions()).find(({ name }) => name === 'work')!
      await expect
        .poll(async () => (await paused()).paused, patience)
        .toMatchObject({
          by: 'operator',
          reason: 'maintenance',
        })
      await a.process.stop('SIGKILL')
      const again = await runtime('c')
      const { settled } = await again.client.publish(
        { type: 'work', data: { n: 1, waitMs: 0 } },
        { wait: true, timeoutMs: 2_000 },
      )
      expect(settled).toBe(false)
      await again.client.resumeFunction('work')
      await expect.poll(async () => (await finished(b.client)).length, patience).toBe(1)
      await expect.poll(async () => (await paused()).paused, patience).toBe(undefined)
    },
    150_000,
  )

  run(
    'go on with calls that another suspended, which was killed',
    async () => {
      const { runtime } = await cluster(
        backend,
        "  - { name: wait, source: ./wait.js, events: [wait], env: [RUNTIME], ackWaitMs: 5000, capabilities: ['events:wait:paid.*'] }\n",
      )
      const a = await runtime('a')
      await a.client.publishBatch([
        { type: 'wait', id: 'asks', data: {} },
        { type: 'wait', id: 'sleeps', data: { sleepMs: 3_000 } },
        { type: 'wait', id: 'pays', data: { pays: true } },
        { type: 'wait', id: 'pays later', data: { pays: true } },
      ])
      const statusOf = async (client: NexusClient, id: string) =>
        (await client.getEvent(id)).runs[0]?.status
      await expect.poll(() => statusOf(a.client, 'asks'), patience).toBe('suspended')
      await expect.poll(() => statusOf(a.client, 'sleeps'), patience).not.toBe('pending')
      await expect.poll(() => statusOf(a.client, 'pays'), patience).toBe('suspended')
      await expect.poll(() => statusOf(a.client, 'pays later'), patience).toBe('suspended')
      // What wakes it may be lost with the process: another one gets the event then.
      await a.client.publish({ type: 'paid.card', data: { order: 'pays', by: 'Ada' } })
      await a.process.stop('SIGKILL')

      const { client, process } = await runtime('b')
      const { suspensions } = await client.suspensions({ name: 'question' })
      expect(suspensions).toHaveLength(1)
      const { suspensionId } = suspensions[0]!
      const args = ['resume', suspensionId, '--value', '42', '--url', process.url]
      await client.publish({ type: 'paid.card', data: { order: 'pays later', by: 'Bob' } })
      const both = await Promise.all([nexus(args), nexus(args)])
      expect(both.map(({ code }) => code).toSorted()).toEqual([0, 1])
      for (const [id, answer] of [
        ['asks', 42],
        ['sleeps', 'slept'],
        ['pays later', 'Bob'],
      ] as const) {
        await expect.poll(() => statusOf(client, id), patience).toBe('succeeded')
        const [run] = (await client.getEvent(id)).runs
        expect(run?.value).toEqual({ answer, runtime: 'b' })
      }
      await expect.poll(() => statusOf(client, 'pays'), patience).toBe('succeeded')
      const [run] = (await client.getEvent('pays')).runs
      expect(run?.value).toMatchObject({ answer: 'Ada' })
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
      expect(process.output()).toContain('the connection of the bus is lost')
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
