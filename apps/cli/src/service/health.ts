import type { HealthReport } from '@nexus/process-manager'
import { parseCount } from '../arguments.js'
import { printNow, stdoutStyle } from '../print-now.js'
import { type Column, table } from '../table.js'
import { printable, toJson } from '../terminal.js'
import { parseServiceArguments } from './arguments.js'
import { withEngine } from './engine.js'
import { forEach, notRunningCode, select } from './outcome.js'

/** `nexus service health`: checks now, all of them at once. */
export async function health(args: readonly string[]): Promise<void> {
  const {
    values,
    names,
    engine: kind,
    json,
  } = parseServiceArguments(args, {
    timeout: { type: 'string' },
  })
  const timeoutMs = 1000 * parseCount('--timeout', values.timeout ?? '5', 1, 3600)
  const reports = await withEngine(kind, async (engine) =>
    forEach(select(await engine.list(), names), (name) => engine.health(name, timeoutMs)),
  )
  if (!reports.every(({ healthy }) => healthy)) process.exitCode ??= notRunningCode
  if (json) return printNow(`${toJson(reports, 2)}\n`)
  if (reports.length === 0) return
  const style = stdoutStyle()
  const columns: Column<HealthReport>[] = [
    { title: 'NAME', value: ({ name }) => printable(name) },
    {
      title: 'HEALTH',
      value: ({ healthy }) => (healthy ? 'healthy' : 'unhealthy'),
      paint: (text, { healthy }) => (healthy ? style.good(text) : style.bad(text)),
    },
    { title: 'TIME', value: ({ durationMs }) => `${durationMs.toFixed(1)} ms`, align: 'right' },
  ]
  const reasons = reports.flatMap(({ name, reason }) =>
    reason === null ? [] : [`${printable(name)}: ${printable(reason)}\n`],
  )
  printNow(`${table(columns, reports, style)}${reasons.join('')}`)
}
