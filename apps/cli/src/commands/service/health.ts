import type { HealthReport } from '@nexus/process-manager'
import { runs } from '../../command-line/parse.js'
import { printNow, stdoutStyle } from '../../terminal/print-now.js'
import { type Column, table } from '../../terminal/table.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { withEngine } from './engine/engine.js'
import { forEach, notRunningCode, select } from './outcome.js'
import { targetOf } from './target.js'

/** `nexus service health`: checks now, all of them at once. */
export const runHealth = runs(service.commands.health, async (invocation) => {
  const { kind, names, json } = targetOf(invocation)
  const timeoutMs = 1000 * invocation.values.timeout
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
})
