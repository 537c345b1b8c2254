import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import { MetricsGroup, MetricsRegistry, shareMetrics } from '@nexus/metrics'
import { eventually } from '@nexus/test-kit'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'

let folder: string
let member: string
const running: (Worker | ChildProcess)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-metrics-'))
  member = join(folder, 'member.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'fixtures/member.ts')],
    outfile: member,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@nexus/source'],
  })
})

afterEach(async () => {
  for (const started of running.splice(0)) {
    if (started instanceof Worker) await started.terminate()
    else started.kill('SIGKILL')
  }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function startWorker(options?: ConstructorParameters<typeof Worker>[1]): Worker {
  const worker = new Worker(member, options)
  running.push(worker)
  return worker
}

function startChild(): ChildProcess {
  const child = fork(member)
  running.push(child)
  return child
}

function ownRegistry(jobs: number): MetricsRegistry {
  const registry = new MetricsRegistry()
  registry
    .counter({ name: 'jobs_total', help: 'Jobs.', labelNames: ['kind'] })
    .inc({ kind: 'a' }, jobs)
  return registry
}

async function scrape(group: MetricsGroup): Promise<string> {
  let text = ''
  for await (const chunk of group.scrape()) text += chunk
  return text
}

it('threads, processes and ports add up with what this process counts itself', async () => {
  const group = new MetricsGroup(ownRegistry(1))
  const { port1, port2 } = new MessageChannel()
  const [worker, child, viaPort] = [
    startWorker(),
    startChild(),
    startWorker({ workerData: { metrics: port2 }, transferList: [port2] }),
  ]
  for (const source of [worker, child, port1]) group.add(source)
  worker.postMessage({ jobs: 10 })
  child.send({ jobs: 100 })
  viaPort.postMessage({ jobs: 1_000 })
  await eventually(
    () => scrape(group),
    (text) =>
      ['jobs_total{kind="a"} 1111\n', 'job_seconds_count 3\n', '\nbusy 3\n'].every((part) =>
        text.includes(part),
      ),
  )
  expect(group.getStats()).toEqual({ members: 3, ended: 0 })
  group.close()
  expect(await scrape(group)).toContain('jobs_total{kind="a"} 1\n')
})

it('what a member counted until it ended stays, also across a restart; its gauges go', async () => {
  const group = new MetricsGroup(ownRegistry(1))
  const [worker, child] = [startWorker(), startChild()]
  group.add(worker)
  group.add(child)
  await Promise.all([once(worker, 'online'), once(child, 'spawn')])
  worker.postMessage({ jobs: 10, end: true })
  child.send({ jobs: 100, end: true })
  await Promise.all([once(worker, 'exit'), once(child, 'disconnect')])
  const text = await scrape(group)
  expect(text).toContain('jobs_total{kind="a"} 111\n')
  expect(text).not.toContain('\nbusy ')
  expect(group.getStats()).toEqual({ members: 0, ended: 2 })
  const successor = startWorker()
  group.add(successor)
  successor.postMessage({ jobs: 1_000 })
  await expect.poll(() => scrape(group)).toContain('jobs_total{kind="a"} 1111\n')
  group.close()
})

it('a member that is killed keeps what it sent last', async () => {
  const group = new MetricsGroup(ownRegistry(0))
  const child = startChild()
  group.add(child)
  child.send({ jobs: 5 })
  await expect.poll(() => scrape(group)).toContain('jobs_total{kind="a"} 5\n')
  child.kill('SIGKILL')
  await once(child, 'disconnect')
  expect(await scrape(group)).toContain('jobs_total{kind="a"} 5\n')
  group.close()
})

it('many series come in parts and count only together', async () => {
  const group = new MetricsGroup(ownRegistry(0))
  const worker = startWorker()
  group.add(worker)
  worker.postMessage({ series: 5_000 })
  const counted = new Set<number>()
  const series = async () => {
    const lines = (await scrape(group)).split('\n')
    const { length } = lines.filter((line) => line.startsWith('jobs_total{'))
    counted.add(length)
    return length
  }
  await expect.poll(series).toBe(5_001)
  expect([1, 5_001]).toEqual(expect.arrayContaining([...counted]))
  group.close()
})

it('a member that means another metric by a name spoils only that', async () => {
  const group = new MetricsGroup(ownRegistry(2))
  const { port1, port2 } = new MessageChannel()
  group.add(port1)
  const other = new MetricsRegistry()
  other.counter({ name: 'jobs_total', help: 'Jobs.', labelNames: ['queue'] }).inc({ queue: 'a' })
  other.counter({ name: 'fine_total', help: 'Fine.' }).inc(7)
  const stop = shareMetrics(other, port2)
  stop()
  await expect.poll(() => scrape(group)).toContain('fine_total 7\n')
  const text = await scrape(group)
  expect(text).toContain('jobs_total{kind="a"} 2\n')
  expect(text).toContain('nexus_metrics_rejected_snapshots_total{metric="jobs_total"} ')
  port2.close()
  await once(port1, 'close')
  expect(await scrape(group)).toContain('fine_total 7\n')
  group.close()
})

it('messages that are not metrics are left alone', async () => {
  const group = new MetricsGroup(ownRegistry(2))
  const { port1, port2 } = new MessageChannel()
  group.add(port1)
  for (const message of [null, 'hello', { kind: 'other' }, { snapshot: {} }]) {
    port2.postMessage(message)
  }
  port2.close()
  await once(port1, 'close')
  expect(await scrape(group)).toContain('jobs_total{kind="a"} 2\n')
})
