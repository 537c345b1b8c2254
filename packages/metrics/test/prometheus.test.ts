import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { negotiateFormat } from '@nexus/metrics'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import { fullCollector } from './support/full-collector.js'
import { testWith } from './support/servers.js'

const test = testWith('prometheus', 'prometheus')
const HOSTILE = 'a"b\\c\nd\r é漢🦀 {x="y"} # EOF \u0000\u2028'
let folder: string
let scraped: Server
let prometheus: ChildProcess | undefined
let url: string
const accepted = new Set<string>()
const { collector, close } = fullCollector()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-prometheus-'))
  const odd = collector.registry.gauge({ name: 'odd', help: 'Odd.', labelNames: ['text'] })
  odd.set({ text: HOSTILE }, 42)
  odd.set({ text: 'nan' }, Number.NaN)
  odd.set({ text: 'minus infinity' }, Number.NEGATIVE_INFINITY)
  scraped = createServer(async (request, response) => {
    const { format, contentType } = negotiateFormat(request.headers.accept)
    accepted.add(format)
    response.setHeader('Content-Type', contentType)
    await pipeline(collector.registry.scrape({ format }), response)
  })
  await once(scraped.listen(0, '127.0.0.1'), 'listening')
})

afterAll(async () => {
  if (prometheus?.exitCode === null) {
    prometheus.kill()
    await once(prometheus, 'exit')
  }
  scraped.closeAllConnections()
  await new Promise((resolve) => scraped.close(resolve))
  close()
  await rm(folder, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createTcpServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startPrometheus(): Promise<void> {
  const { port } = scraped.address() as AddressInfo
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(import.meta.dirname, '../../../deploy/prometheus/nexus-alerts.yml')],
    scrape_configs: [{ job_name: 'nexus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
  }
  const file = join(folder, 'prometheus.yml')
  await writeFile(file, JSON.stringify(config))
  const address = `127.0.0.1:${await freePort()}`
  url = `http://${address}`
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage',
    ],
    { stdio: 'ignore' },
  )
}

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}`)
  const { data } = (await response.json()) as { data: T }
  return data
}

interface Vector {
  result: { metric: Record<string, string>; value: [number, string] }[]
}

function eventually(check: () => Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 45_000, interval: 200 })
}

test('Prometheus scrapes everything, keeps hostile labels and exemplars, and evaluates every rule', {
  timeout: 90_000,
}, async () => {
  await startPrometheus()
  await eventually(async () => {
    const { result } = await ask<Vector>('query?query=up')
    expect(result[0]!.value[1]).toBe('1')
  })
  expect([...accepted]).toEqual(['openmetrics'])

  const { result } = await ask<Vector>('query?query=odd')
  const values = new Map(result.map(({ metric, value }) => [metric.text, value[1]]))
  expect(values.get(HOSTILE)).toBe('42')
  expect(values.get('nan')).toBe('NaN')
  expect(values.get('minus infinity')).toBe('-Inf')

  const failures = await ask<Vector>('query?query=nexus_execution_failures_total')
  expect(failures.result[0]!.metric).toMatchObject({ function: 'order-total', code: 'TIMEOUT' })

  const now = Date.now() / 1000
  const query = `query=nexus_execution_duration_seconds_bucket&start=${now - 300}&end=${now + 60}`
  const exemplars = await ask<{ exemplars: { labels: object }[] }[]>(`query_exemplars?${query}`)
  expect(exemplars[0]!.exemplars[0]!.labels).toEqual({
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  })

  await eventually(async () => {
    const { groups } = await ask<{ groups: { rules: { name: string; health: string }[] }[] }>(
      'rules',
    )
    const health = groups.flatMap(({ rules }) => rules.map(({ health }) => health))
    expect(health.length).toBeGreaterThan(5)
    expect(new Set(health)).toEqual(new Set(['ok']))
  })
})
