import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FunctionRun, NexusClient, type PublishReceipt } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexusServer } from './nexus.js'

const total = 1000
/** Both functions say in which process they ran. */
const files = {
  'nexus.yaml': `functions:
  - { name: double, source: ./double.js, events: [work], env: [LIFE], capabilities: ['events:emit:doubled'] }
  - { name: sink, source: ./sink.js, events: [doubled], env: [LIFE] }
`,
  'double.js': `export default async ({ data }, ctx) => {
    await ctx.emit('doubled', { n: data.n * 2 })
    return { n: data.n * 2, life: ctx.env.LIFE }
  }`,
  'sink.js': 'export default ({ data }, ctx) => ({ n: data.n, life: ctx.env.LIFE })',
}

it('kill -9 in the middle of 1,000 events loses none that was answered with 202', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-kill-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text)

  const first = await nexusServer(['start'], { cwd, env: { LIFE: 'first' } })
  const acked = new Set<string>()
  const unanswered: number[] = []
  let killed: Promise<unknown> | undefined
  await publishAll(range(total), first.url, 16, (n, receipt) => {
    if (!receipt) return unanswered.push(n)
    acked.add(receipt.id)
    if (acked.size === total / 2) killed = first.stop('SIGKILL')
  })
  await killed
  expect(acked.size).toBeGreaterThanOrEqual(total / 2)
  expect(unanswered.length).toBeGreaterThan(0)

  const second = await nexusServer(['start'], { cwd, env: { LIFE: 'second' } })
  const client = new NexusClient({ url: second.url })
  const stored = new Set((await all(client, 'work')).map(({ id }) => id))
  expect([...acked].filter((id) => !stored.has(id))).toEqual([])

  // A client that got no answer sends again; what was stored all the same is not stored twice.
  let storedNow = 0
  await publishAll(unanswered, second.url, 16, (n, receipt) => {
    expect(receipt, `event ${n}`).toBeDefined()
    if (!receipt?.duplicate) storedNow++
  })
  expect(stored.size + storedNow).toBe(total)

  const emitted = async () => (await client.listEvents({ type: 'doubled', limit: 1 })).total
  await expect.poll(emitted, { timeout: 90_000, interval: 200 }).toBe(total)
  const finished = async () => {
    const runs = await runsOf(client)
    return runs.length === 2 * total && runs.every(({ status }) => status === 'succeeded')
  }
  await expect.poll(finished, { timeout: 90_000, interval: 500 }).toBe(true)

  const doubled = await all(client, 'doubled')
  expect(doubled.map(({ data }) => (data as { n: number }).n).sort((a, b) => a - b)).toEqual(
    range(total).map((n) => n * 2),
  )

  const inThisLife = (await runsOf(client)).filter(
    ({ value }) => (value as { life: string }).life === 'second',
  )
  const doubles = inThisLife.filter((run) => run.function === 'double').length
  const { events, functions } = await client.metrics()
  expect(functions).toMatchObject({
    executed: inThisLife.length,
    succeeded: inThisLife.length,
    failed: 0,
  })
  expect(events).toMatchObject({ published: storedNow + doubles, failed: 0 })
  expect(await second.stop('SIGTERM')).toBe(0)
}, 180_000)

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}

/** Publishes `work` events, `parallel` at a time; `done` hears of each, without a receipt when none came. */
async function publishAll(
  numbers: readonly number[],
  url: string,
  parallel: number,
  done: (n: number, receipt: PublishReceipt | undefined) => void,
): Promise<void> {
  const client = new NexusClient({ url })
  const queue = [...numbers]
  const work = async () => {
    for (let n = queue.shift(); n !== undefined; n = queue.shift()) {
      const event = { type: 'work', id: `e-${n}`, data: { n } }
      done(n, await client.publish(event).catch(() => undefined))
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
}

async function all(client: NexusClient, type: string) {
  const events = []
  for await (const event of client.events({ type }, 1000)) events.push(event)
  return events
}

async function runsOf(client: NexusClient): Promise<FunctionRun[]> {
  const events = [...(await all(client, 'work')), ...(await all(client, 'doubled'))]
  const details = await Promise.all(events.map(({ id }) => client.getEvent(id)))
  return details.flatMap(({ runs }) => runs)
}
