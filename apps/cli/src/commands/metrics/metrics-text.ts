import type { CacheFigures, CacheTierReport, MetricsReport } from '@nexus/client'
import { printable, type Style } from '../../terminal/terminal.js'
import { formatBytes } from '../cache/cache-text.js'
import { machineRows } from './machine-rows.js'

/** The figures as sections for people. */
export function describeMetrics(
  { events, functions, cache, system }: MetricsReport,
  style: Style,
): string {
  const connected = system.bus.connected ? style.good('connected') : style.bad('not connected')
  return [
    section('Events', style, [
      ['Published', count(events.published)],
      ['Replayed', count(events.replayed)],
      ['Failed', count(events.failed)],
      ['Success rate', percent(events.successRatePercent)],
    ]),
    section('Functions', style, [
      ['Executed', count(functions.executed)],
      ['Succeeded', count(functions.succeeded)],
      ['Failed', count(functions.failed)],
      ['Success rate', percent(functions.successRatePercent)],
      ['Average time', milliseconds(functions.averageDurationMs)],
    ]),
    ...(cache ? [section('Cache', style, cacheRows(cache))] : []),
    section('System', style, [
      ['Uptime', uptime(system.uptimeSeconds)],
      ['Bus', `${printable(system.bus.backend)}, ${connected}`],
    ]),
    ...(system.machine
      ? [
          section(
            system.machine.scope === 'container' ? 'Container' : 'Machine',
            style,
            machineRows(system.machine),
          ),
        ]
      : []),
  ].join('\n')
}

function cacheRows({ hitRatePercent, handlers, modules }: CacheFigures): [string, string][] {
  const held = ({ tier, entries, bytes, evictions }: CacheTierReport): [string, string] => [
    tier === 'memory' ? 'In memory' : tier === 'disk' ? 'On disk' : printable(tier),
    entries === null || bytes === null
      ? '-'
      : `${count(entries)} handlers, ${formatBytes(bytes)}${evictions ? `, ${count(evictions)} evicted` : ''}`,
  ]
  return [
    ['Hit rate', percent(hitRatePercent)],
    ...handlers.tiers.filter(({ entries }) => entries !== null).map(held),
    ['WASM modules', `${count(modules.entries ?? 0)}, ${formatBytes(modules.bytes ?? 0)}`],
  ]
}

/** The figures on one line, for a log. */
export function metricsLine({ events, functions, system }: MetricsReport): string {
  const { published, replayed, failed } = events
  const { backend, connected } = system.bus
  return [
    `published ${published} replayed ${replayed} failed ${failed}`,
    `executed ${functions.executed} succeeded ${functions.succeeded} failed ${functions.failed}`,
    `average ${milliseconds(functions.averageDurationMs)}`,
    `uptime ${uptime(system.uptimeSeconds)}`,
    `bus ${printable(backend)} ${connected ? 'connected' : 'not connected'}`,
  ].join(', ')
}

function section(title: string, style: Style, rows: [name: string, value: string][]): string {
  const lines = rows.map(([name, value]) => `  ${name.padEnd(14)}${value}\n`)
  return `${style.bold(title)}\n${style.rule()}${lines.join('')}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function percent(value: number | null): string {
  return value === null ? 'none yet' : `${value.toFixed(1)} %`
}

function milliseconds(value: number | null): string {
  return value === null ? 'none yet' : `${value.toFixed(2)} ms`
}

/** The two largest units: `3d 4h`, `5m 6s`. */
function uptime(totalSeconds: number): string {
  const seconds = Math.floor(totalSeconds)
  const units: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = units.findIndex(([value]) => value > 0)
  return units
    .slice(first, first === -1 ? undefined : first + 2)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ')
}
