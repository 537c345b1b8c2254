import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { testWith } from '../../../packages/metrics/test/support/servers.js'
import { serve, settled } from './workspace.js'

const alerts = join(import.meta.dirname, '../../../deploy/prometheus/nexus-alerts.yml')
const files = {
  'nexus.yaml': 'functions:\n  - { name: fn, source: ./fn.js, events: [a] }\n',
  'fn.js': 'export default () => 1',
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A Prometheus that scrapes `target` every second and evaluates the alert rules; answers its URL. */
async function startPrometheus(target: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-prometheus-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const config = join(folder, 'prometheus.yml')
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [alerts],
      scrape_configs: [{ job_name: 'nexus', static_configs: [{ targets: [target] }] }],
    }),
  )
  const address = `127.0.0.1:${await freePort()}`
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
  ]
  const prometheus = spawn('prometheus', flags, { stdio: 'ignore' })
  onTestFinished(async () => {
    prometheus.kill()
    await once(prometheus, 'exit')
  })
  return `http://${address}`
}

testWith('promtool', 'prometheus')('promtool has nothing to say about a live scrape', async () => {
  const { client, send } = await serve(files)
  const { id } = await client.publish({ type: 'a' })
  await settled(client, id)
  const input = await (await send('/metrics')).text()
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input,
    encoding: 'utf8',
  })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})

testWith('prometheus', 'prometheus')(
  'a Prometheus scrapes the runtime and evaluates the alert rules',
  async () => {
    const { client, runtime } = await serve(files)
    const { id } = await client.publish({ type: 'a' })
    await settled(client, id)
    const prometheus = await startPrometheus(new URL(runtime.url).host)
    const ask = async (path: string) =>
      ((await (await fetch(`${prometheus}/api/v1/${path}`)).json()) as { data: unknown }).data

    const query = encodeURIComponent('nexus_executions_total{function="fn",status="success"}')
    await vi.waitFor(
      async () => {
        expect(await ask(`query?query=${query}`)).toMatchObject({
          result: [{ value: [expect.any(Number), '1'] }],
        })
      },
      { timeout: 25_000, interval: 500 },
    )
    await vi.waitFor(
      async () => {
        const { groups } = (await ask('rules')) as { groups: { rules: { health: string }[] }[] }
        const health = groups.flatMap(({ rules }) => rules.map((rule) => rule.health))
        expect(health.length).toBeGreaterThan(5)
        expect(new Set(health)).toEqual(new Set(['ok']))
      },
      { timeout: 25_000, interval: 500 },
    )
  },
  60_000,
)
