import type { OptimizationsReport, ReportedOptimization } from '@nexus/client'
import { printable, type Style } from '../../terminal/terminal.js'

/** What could be better, for people. */
export function describeOptimizations(
  { optimizations, uxImprovements }: OptimizationsReport,
  style: Style,
): string {
  const parts = [
    ...optimizations.map((found) => describe(found, style)),
    ...uxImprovements.map(({ subject, value, unit, limit, samples, suggestion }) => {
      const measured = `${number(value)} ${unit}, good is ${number(limit)}, from ${samples}`
      return `${style.bold(printable(subject))} of pages: ${printable(measured)}\n  ${printable(suggestion)}\n`
    }),
  ]
  if (parts.length > 0) return parts.join('\n')
  return 'Nothing to improve was found yet. The server looks at what happened since it was asked for the\nfirst time, or since its start with "performance" in nexus.yaml.\n'
}

/** The state of an optimization after it was applied or undone. */
export function describeTurn({ id, state, change }: ReportedOptimization): string {
  const turned =
    change && `: ${change.knob} is ${state === 'applied' ? change.to : change.from} ${change.unit}`
  const next =
    state === 'applied'
      ? `It holds until the server stops. See what it brings: nexus optimizations\nTake it back: nexus optimizations undo ${printable(id)}\n`
      : ''
  return `${printable(id)} is ${printable(state)}${printable(turned ?? '')}\n${next}`
}

function describe(found: ReportedOptimization, style: Style): string {
  const { id, title, severity, evidence, advice, expectedEffect, state, change, result } = found
  const lines = [
    `${style.bold(printable(id))}  ${printable(severity)}, ${printable(state)}`,
    `  ${printable(title)}`,
    ...evidence.map(({ what, value, unit, limit }) => {
      const past = limit === undefined ? '' : ` (limit ${number(limit)})`
      return `  ${style.dim('-')} ${printable(`${what}: ${number(value)} ${unit}${past}`)}`
    }),
    `  ${printable(advice)} ${printable(expectedEffect)}`,
  ]
  if (change) {
    lines.push(`  ${printable(`${change.knob}: ${change.from} to ${change.to} ${change.unit}`)}`)
  }
  if (change && state === 'suggested') {
    lines.push(`  Apply it: nexus optimizations apply ${printable(id)}`)
  }
  if (result) {
    const after = result.after === undefined ? 'not measured yet' : number(result.after)
    lines.push(`  ${printable(evidence[0]!.what)}: ${number(result.before)} before, ${after} since`)
  }
  if (found.failure !== undefined) lines.push(`  It failed: ${printable(found.failure)}`)
  return `${lines.join('\n')}\n`
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
}
