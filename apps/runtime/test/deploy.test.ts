import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, hasPromtool } from '@nexus/test-kit'
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

/** What a runtime prints only once something went wrong or was dropped, or its garbage was collected. */
const PRINTED_LATER = [
  'nexus_metrics_refused_updates_total',
  'nexus_discards_total',
  'nodejs_gc_duration_seconds_sum',
]

it('the dashboard and the alerts ask only for metrics that a runtime prints', async () => {
  const alerts = await readFile(join(deploy, 'prometheus/nexus-alerts.yml'), 'utf8')
  const rules = alerts.match(/^ +(?:expr: .*|(?: {10}).*)$/gm)!.filter((line) => !/: '/.test(line))
  const asked = [...expressionsOf(await readDashboard()), ...rules].flatMap(metricsIn)
  const { client, send } = await serve({
    'nexus.yaml': [
      'functions:',
      '  - { name: good, source: ./good.js, events: [a] }',
      '  - { name: bad, source: ./bad.js, events: [a], retry: { maxAttempts: 1 } }',
    ].join('\n'),
    'good.js': 'export default () => 1',
    'bad.js': "export default () => { throw new Error('bad') }",
  })
  const { id } = await client.publish({ type: 'a' })
  await settled(client, id)
  // Event loop delays are there once the loop has turned for a while.
  const text = await eventually(
    async () => (await send('/metrics')).text(),
    (scrape) => scrape.includes('nodejs_eventloop_lag_p99_seconds'),
  )
  const printed = new Set([...(text.match(/^[a-zA-Z_:]\w*/gm) ?? []), ...PRINTED_LATER])
  expect([...new Set(asked)].filter((name) => !printed.has(name))).toEqual([])
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
