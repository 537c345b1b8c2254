import { describeFrame } from '../profiling/call-tree.js'
import type { ReportContent } from './report-content.js'

/** The text shows this many functions, metrics and findings; the JSON has all. */
const LINES = 10

/** Writes a report for people, 100 columns wide at most. */
export function formatReport(report: ReportContent): string {
  const sections = [
    header(report),
    processSection(report),
    machineSection(report),
    profileSection('CPU time', report.cpuProfile, (us) => `${(us / 1000).toFixed(1)} ms`),
    profileSection('Memory allocated and in use', report.heapProfile, formatBytes),
    section(
      'Metrics',
      report.metrics.map(
        ({ name, unit, count, avg, p95, max }) =>
          `${name}: ${count} ×, average ${round(avg)} ${unit}, p95 ${round(p95)}, max ${round(max)}`,
      ),
    ),
    section('Optimizations', report.optimizations.map(describeOptimization)),
    section(
      'User experience',
      report.uxImprovements.map(
        ({ subject, value, unit, limit, suggestion }) =>
          `${subject}: ${round(value)} ${unit} (good is ${limit}). ${suggestion}`,
      ),
    ),
  ]
  return `${sections.filter(Boolean).join('\n\n')}\n`
}

function header({ name, startedMs, endedMs, host }: ReportContent): string {
  const seconds = ((endedMs - startedMs) / 1000).toFixed(1)
  const machine = host && `\n${host.cpu.model}, ${host.cpu.cores} cores, ${host.os.distribution}`
  return `${name}: ${seconds} s from ${new Date(startedMs).toISOString()}${machine ?? ''}`
}

function processSection({ snapshots }: ReportContent): string {
  const last = snapshots.at(-1)
  if (!last) return ''
  const total = snapshots.reduce((sum, { durationMs }) => sum + durationMs, 0)
  // Snapshots may cover times of different lengths.
  const average = (figure: (snapshot: (typeof snapshots)[number]) => number) =>
    snapshots.reduce((sum, snapshot) => sum + figure(snapshot) * snapshot.durationMs, 0) / total
  const cpu = average(({ cpu }) => cpu.userPercent + cpu.systemPercent)
  const worst = Math.max(...snapshots.map(({ eventLoop }) => eventLoop.delayMs.p99))
  const gcMs = snapshots.reduce((sum, { gc }) => sum + gc.totalMs, 0)
  const { rss, heapUsed } = last.memory
  return section('Process', [
    `CPU ${cpu.toFixed(1)} % of a core, event loop busy ${percent(average(({ eventLoop }) => eventLoop.utilization))}`,
    `event loop delay p99 ${worst.toFixed(1)} ms at worst, garbage collection ${gcMs.toFixed(1)} ms`,
    `memory ${formatBytes(rss)}, heap ${formatBytes(heapUsed)}`,
  ])
}

function machineSection({ snapshots }: ReportContent): string {
  const last = snapshots.at(-1)
  if (!last) return ''
  const { scope, cpu, memory, disks, diskIo, network } = last.system
  const rates = ({ inBytesPerSecond, outBytesPerSecond }: NonNullable<typeof network>) =>
    `${formatBytes(inBytesPerSecond)}/s in, ${formatBytes(outBytesPerSecond)}/s out`
  return section(scope === 'container' ? 'Container' : 'Machine', [
    `CPU ${percent(cpu.busyRatio)} of ${round(cpu.cores)} cores, ${percent(cpu.processRatio)} by this process; load ${cpu.load[1].toFixed(2)}`,
    `memory ${formatBytes(memory.availableBytes)} available of ${formatBytes(memory.totalBytes)}`,
    ...Object.entries(disks).map(
      ([name, { availableBytes, totalBytes }]) =>
        `disk of ${name} ${formatBytes(availableBytes)} available of ${formatBytes(totalBytes)}`,
    ),
    ...(diskIo ? [`disks ${rates(diskIo)}`] : []),
    ...(network ? [`network ${rates(network)}`] : []),
  ])
}

function profileSection(
  title: string,
  profile: ReportContent['cpuProfile'] | ReportContent['heapProfile'],
  format: (value: number) => string,
): string {
  if (!profile) return ''
  const functions = profile.topFunctions(LINES)
  return section(
    title,
    functions.map(
      (cost) =>
        `${percent(cost.selfShare).padStart(7)}  ${format(cost.self)}  ${describeFrame(cost)}`,
    ),
  )
}

function describeOptimization(optimization: ReportContent['optimizations'][number]): string {
  const { id, title, evidence, advice, change, state, result } = optimization
  const [{ what, value, unit }] = evidence
  const measured = `${what} ${round(value)} ${unit}`
  const action = change ? `${change.knob} ${change.from} → ${change.to} ${change.unit}` : advice
  const outcome =
    result?.after === undefined ? '' : `; ${what} ${round(result.before)} → ${round(result.after)}`
  return `[${id}] ${title} (${measured}). ${action} (${state}${outcome})`
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return ''
  const more = lines.length > LINES ? [`… and ${lines.length - LINES} more`] : []
  return [title, ...[...lines.slice(0, LINES), ...more].map((line) => `  ${line}`)].join('\n')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function formatBytes(bytes: number): string {
  if (bytes >= 1024 ** 3) return `${(bytes / 1024 ** 3).toFixed(1)} GB`
  return bytes >= 1024 ** 2
    ? `${(bytes / 1024 ** 2).toFixed(1)} MB`
    : `${(bytes / 1024).toFixed(1)} KB`
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
