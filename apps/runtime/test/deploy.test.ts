import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  eventually,
  hasPrometheus,
  hasPromtool,
  startPrometheus,
  untilTestEnds,
} from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'
import { serve, settled } from './workspace.js'

const deploy = join(import.meta.dirname, '../../../deploy')

function promtool(args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

interface Dashboard {
  panels: {
    id: number
    type: string
    title: string
    gridPos: { x: number; y: number; w: number; h: number }
    targets?: { expr: string }[]
  }[]
}

async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(join(deploy, 'grafana/nexus-dashboard.json'), 'utf8'))
}

function expressionsOf(dashboard: Dashboard): string[] {
  return dashboard.panels.flatMap(({ targets }) => targets?.map(({ expr }) => expr) ?? [])
}

/** Names of metrics in a PromQL expression, without those inside of label matchers and quotes. */
function metricsIn(expression: string): string[] {
  const bare = expression.replace(/\{[^}]*\}/g, '').replace(/"[^"]*"/g, '')
  return bare.match(/\b(?:nexus|nodejs|process)_\w+/g) ?? []
}

it.skipIf(!hasPromtool())('the alert rules are valid and fire when they should', () => {
  const rules = join(deploy, 'prometheus/nexus-alerts.yml')
  expect(promtool(['check', 'rules', rules])).toMatchObject({ status: 0 })
  const tests = promtool(['test', 'rules', join(deploy, 'prometheus/nexus-alerts.test.yml')])
  expect(tests.status, tests.output).toBe(0)
})

it.skipIf(!hasPromtool())('every query of the dashboard is valid', async () => {
  const expressions = expressionsOf(await readDashboard())
  expect(expressions.length).toBeGreaterThan(20)
  const rules = expressions.map((expression, i) => ({
    record: `panel:${i}`,
    expr: expression.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '1h'),
  }))
  const folder = await mkdtemp(join(tmpdir(), 'nexus-promtool-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'dashboard.yml')
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  const { status, output } = promtool(['check', 'rules', file])
  expect(status, output).toBe(0)
})

it('every alert has a test in which it fires', async () => {
  const rules = await readFile(join(deploy, 'prometheus/nexus-alerts.yml'), 'utf8')
  const tests = await readFile(join(deploy, 'prometheus/nexus-alerts.test.yml'), 'utf8')
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
  const firing = new Set(
    [...tests.matchAll(/alertname: (\w+)\n +exp_alerts:/g)].map(([, name]) => name),
  )
  expect(alerts.length).toBeGreaterThan(10)
  expect(alerts.filter((name) => !firing.has(name))).toEqual([])
})

/** A server that was made to show every panel: functions that succeed, fail, give up, emit, and end their sandbox. */
async function serveEverything() {
  const served = await serve({
    'nexus.yaml': [
      'bus: memory',
      'threads: 1',
      'functions:',
      '  - { name: good, source: ./good.js, events: [a], capabilities: ["events:emit:b"] }',
      '  - { name: bad, source: ./bad.js, events: [a], retry: { maxAttempts: 2, baseDelayMs: 1 } }',
      '  - { name: greedy, source: ./greedy.js, events: [a], memoryLimitBytes: 8388608, retry: { maxAttempts: 1 } }',
    ].join('\n'),
    'good.js': "export default (event, ctx) => ctx.emit('b', 1)",
    'bad.js': "export default () => { throw new Error('bad') }",
    'greedy.js':
      'export default () => { const all = []; for (;;) all.push(new Array(100000).fill(1)) }',
  })
  const step = async () => {
    const { id } = await served.client.publish({ type: 'a' })
    await settled(served.client, id)
    await served.client.replay(id)
    // Garbage for the collector, so that its panel has something to show.
    Array.from({ length: 200_000 }, (_, i) => ({ i }))
  }
  return { served, step }
}

it.skipIf(!hasPrometheus())(
  'every panel of the dashboard has figures of a server that was made to show it',
  { timeout: 120_000 },
  async () => {
    const { served, step } = await serveEverything()
    const { address } = await untilTestEnds(startPrometheus(new URL(served.runtime.url).host))
    const samplesOf = async (expr: string) => {
      const response = await fetch(
        `http://${address}/api/v1/query?query=${encodeURIComponent(expr)}`,
      )
      const answer = (await response.json()) as { data?: { result: { value: [number, string] }[] } }
      return answer.data?.result.filter(({ value: [, text] }) => text !== 'NaN').length ?? -1
    }
    let missing = expressionsOf(await readDashboard()).map((expression) =>
      expression
        .replaceAll('$__rate_interval', '30s')
        .replaceAll('$__range', '1m')
        .replaceAll(/\$(job|instance|function)/g, '.*'),
    )
    await expect
      .poll(
        async () => {
          await step()
          const counts = await Promise.all(missing.map(samplesOf))
          missing = missing.filter((_, i) => counts[i]! <= 0)
          return missing
        },
        { timeout: 90_000, interval: 1_000 },
      )
      .toEqual([])
  },
)

it('the alerts ask only for metrics, and labels, that a runtime prints', async () => {
  const alerts = await readFile(join(deploy, 'prometheus/nexus-alerts.yml'), 'utf8')
  const rules = alerts.match(/^ +(?:expr: .*|(?: {10}).*)$/gm)!.filter((line) => !/: '/.test(line))
  const { served, step } = await serveEverything()
  await step()
  // Event loop delays are there once the loop has turned for a while.
  const text = await eventually(
    async () => (await served.send('/metrics')).text(),
    (scrape) => scrape.includes('nodejs_eventloop_lag_p99_seconds'),
  )
  const printed = new Set(text.match(/^[a-zA-Z_:]\w*/gm) ?? [])
  // Printed once a metric was full.
  printed.add('nexus_metrics_refused_updates_total')
  // Printed in a container that has a CPU limit.
  printed.add('nexus_system_cpu_throttled_ratio')
  expect([...new Set(rules.flatMap(metricsIn))].filter((name) => !printed.has(name))).toEqual([])
  const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label))
  for (const label of ['job', 'instance']) labels.add(label)
  const asked = rules.flatMap((rule) => [
    ...[...rule.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/, */)),
    ...[...rule.matchAll(/[{,] *(\w+)=/g)].map(([, label]) => label!),
  ])
  expect(asked.length).toBeGreaterThan(10)
  expect(asked.filter((label) => !labels.has(label))).toEqual([])
})

it('the panels of the dashboard do not overlap', async () => {
  const { panels } = await readDashboard()
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const taken = new Map<string, string>()
  for (const { title, gridPos } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.get(`${x},${y}`), `${title} at ${x},${y}`).toBeUndefined()
        taken.set(`${x},${y}`, title)
      }
    }
  }
})
