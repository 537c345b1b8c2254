import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import {
  eventually,
  hasPrometheus,
  hasPromtool,
  startPrometheus,
  untilTestEnds,
} from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { serve, settled } from './workspace.js'

const alerts = join(import.meta.dirname, '../../../deploy/prometheus/nexus-alerts.yml')
const files = {
  'nexus.yaml': 'functions:\n  - { name: fn, source: ./fn.js, events: [a] }\n',
  'fn.js': 'export default () => 1',
}

it.skipIf(!hasPromtool())('promtool has nothing to say about a live scrape', async () => {
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

it.skipIf(!hasPrometheus())(
  'a Prometheus scrapes the runtime and evaluates the alert rules',
  async () => {
    const { client, runtime } = await serve(files)
    const { id } = await client.publish({ type: 'a' })
    await settled(client, id)
    const target = new URL(runtime.url).host
    const { address } = await untilTestEnds(startPrometheus(target, alerts))
    const ask = async (path: string) =>
      ((await (await fetch(`http://${address}/api/v1/${path}`)).json()) as { data: unknown }).data

    const query = encodeURIComponent('nexus_executions_total{function="fn",status="success"}')
    const counted = { result: [{ value: [expect.any(Number), '1'] }] }
    await expect.poll(() => ask(`query?query=${query}`)).toMatchObject(counted)
    const healthOfRules = async () => {
      const { groups } = (await ask('rules')) as { groups: { rules: { health: string }[] }[] }
      return groups.flatMap(({ rules }) => rules.map(({ health }) => health))
    }
    await eventually(healthOfRules, (all) => all.length > 5 && all.every((one) => one === 'ok'))
  },
  60_000,
)
