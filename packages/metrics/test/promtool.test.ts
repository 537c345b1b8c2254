import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MetricsCollector } from '@nexus/metrics'
import { eventually, hasPromtool } from '@nexus/test-kit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fullCollector, scrapeText } from './support/full-collector.js'

const deploy = join(import.meta.dirname, '../../../deploy')
const test = it.skipIf(!hasPromtool())
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-promtool-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function promtool(args: string[], input?: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
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

/** Event loop delays are there once the loop has turned for a while. */
function scrapeOfEverything(collector: MetricsCollector): Promise<string> {
  return eventually(
    () => scrapeText(collector),
    (text) => text.includes('nodejs_eventloop_lag_p99_seconds'),
  )
}

async function printedNames(): Promise<Set<string>> {
  const { collector, close } = fullCollector()
  const text = await scrapeOfEverything(collector)
  close()
  return new Set(text.match(/^[a-zA-Z_:]\w*/gm))
}

test('promtool finds nothing to say about a scrape of everything', async () => {
  const { collector, close } = fullCollector()
  const text = await scrapeOfEverything(collector)
  close()
  expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' })
})

test('the alert rules are valid and fire when they should', () => {
  const rules = join(deploy, 'prometheus/nexus-alerts.yml')
  expect(promtool(['check', 'rules', rules])).toMatchObject({ status: 0 })
  const tests = promtool(['test', 'rules', join(deploy, 'prometheus/nexus-alerts.test.yml')])
  expect(tests.status, tests.output).toBe(0)
})

test('every query of the dashboard is valid', async () => {
  const expressions = expressionsOf(await readDashboard())
  expect(expressions.length).toBeGreaterThan(20)
  const rules = expressions.map((expression, i) => ({
    record: `panel:${i}`,
    expr: expression.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '1h'),
  }))
  const file = join(folder, 'dashboard.yml')
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  const { status, output } = promtool(['check', 'rules', file])
  expect(status, output).toBe(0)
})

test('the dashboard and the alerts ask only for metrics that a runtime prints', async () => {
  const alerts = await readFile(join(deploy, 'prometheus/nexus-alerts.yml'), 'utf8')
  const rules = alerts.match(/^ +(?:expr: .*|(?: {10}).*)$/gm)!.filter((line) => !/: '/.test(line))
  const asked = [...expressionsOf(await readDashboard()), ...rules].flatMap(metricsIn)
  const printed = await printedNames()
  // Printed only once there is something to say.
  for (const name of ['nexus_metrics_refused_updates_total', 'nodejs_gc_duration_seconds_sum']) {
    printed.add(name)
  }
  const missing = [...new Set(asked)].filter((name) => !printed.has(name))
  expect(missing).toEqual([])
})

test('the panels of the dashboard do not overlap', async () => {
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
