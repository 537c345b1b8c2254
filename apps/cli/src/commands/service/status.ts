import type { InstanceStatus, ServiceState, ServiceStatus } from '@nexus/process-manager'
import { metricsOf } from '@nexus/process-manager/status'
import { runs } from '../../command-line/parse.js'
import { printNow, stdoutStyle } from '../../terminal/print-now.js'
import { type Column, table } from '../../terminal/table.js'
import { printable, type Style, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { listServices } from './engine/engine.js'
import { notRunningCode, select } from './outcome.js'
import { targetOf } from './target.js'

/** `nexus service list`: a line for each. */
export const runList = runs(service.commands.list, async ({ values }) => {
  const { engine, json } = values
  const services = await listServices(engine, { useCache: !values['no-cache'] })
  if (json) return printNow(`${toJson(services, 2)}\n`)
  const style = stdoutStyle()
  const columns: Column<ServiceStatus>[] = [
    { title: 'NAME', value: ({ name }) => printable(name) },
    {
      title: 'STATE',
      value: ({ state }) => printable(state),
      paint: (text, row) => paint(style, row, text),
    },
    { title: 'UP', value: runningOf, align: 'right' },
    { title: 'PORT', value: ({ port }) => (port === null ? '-' : String(port)), align: 'right' },
    { title: 'CPU', value: (row) => percent(metricsOf(row).cpuPercent), align: 'right' },
    { title: 'MEMORY', value: (row) => megabytes(metricsOf(row).memoryBytes), align: 'right' },
    { title: 'UPTIME', value: (row) => duration(metricsOf(row).uptimeMs), align: 'right' },
    { title: 'RESTARTS', value: (row) => String(metricsOf(row).restarts), align: 'right' },
  ]
  printNow(services.length === 0 ? none : table(columns, services, style))
})

/** `nexus service status`: a line for each process, and why those that do not run do not. */
export const runStatus = runs(service.commands.status, async (invocation) => {
  const { kind, names, json } = targetOf(invocation)
  const services = select(
    await listServices(kind, { useCache: !invocation.values['no-cache'] }),
    names,
  )
  if (!services.every(({ state }) => works(state))) process.exitCode ??= notRunningCode
  if (json) return printNow(`${toJson(services, 2)}\n`)
  if (services.length === 0) return names.length === 0 ? printNow(none) : undefined
  const style = stdoutStyle()
  type Row = { name: string } & InstanceStatus
  const rows = services.flatMap(({ name, instances }) =>
    instances.map((instance): Row => ({ name, ...instance })),
  )
  const columns: Column<Row>[] = [
    { title: 'NAME', value: ({ name }) => printable(name) },
    { title: '#', value: ({ index }) => String(index), align: 'right' },
    {
      title: 'STATE',
      value: ({ state }) => printable(state),
      paint: (text, row) => paint(style, row, text),
    },
    { title: 'PID', value: ({ pid }) => (pid === null ? '-' : String(pid)), align: 'right' },
    { title: 'CPU', value: ({ cpuPercent }) => percent(cpuPercent), align: 'right' },
    { title: 'MEMORY', value: ({ memoryBytes }) => megabytes(memoryBytes), align: 'right' },
    { title: 'UPTIME', value: (row) => duration(uptimeOf(row)), align: 'right' },
    { title: 'RESTARTS', value: ({ restarts }) => String(restarts), align: 'right' },
  ]
  const reasons = rows.flatMap(({ name, index, reason }) =>
    reason === null ? [] : [`${printable(name)} #${index}: ${printable(reason)}\n`],
  )
  printNow(`${table(columns, rows, style)}${reasons.join('')}`)
})

/** `nexus service metrics`: figures with one unit each. */
export const runMetrics = runs(service.commands.metrics, async (invocation) => {
  const { kind, names, json } = targetOf(invocation)
  const rows = select(
    await listServices(kind, { useCache: !invocation.values['no-cache'] }),
    names,
  ).map((service) => {
    const { name, cpuPercent, memoryBytes, uptimeMs, restarts } = metricsOf(service)
    const uptimeSeconds = uptimeMs === null ? null : Math.floor(uptimeMs / 1000)
    const memoryMb = Math.round((memoryBytes / 2 ** 20) * 10) / 10
    return { name, cpuPercent, memoryMb, memoryBytes, uptimeSeconds, restarts }
  })
  if (json) return printNow(`${toJson(rows, 2)}\n`)
  if (rows.length === 0) return names.length === 0 ? printNow(none) : undefined
  const columns: Column<(typeof rows)[number]>[] = [
    { title: 'NAME', value: ({ name }) => printable(name) },
    { title: 'CPU %', value: ({ cpuPercent }) => cpuPercent.toFixed(1), align: 'right' },
    { title: 'MEMORY MB', value: ({ memoryMb }) => memoryMb.toFixed(1), align: 'right' },
    { title: 'UPTIME S', value: (row) => String(row.uptimeSeconds ?? '-'), align: 'right' },
    { title: 'RESTARTS', value: ({ restarts }) => String(restarts), align: 'right' },
  ]
  printNow(table(columns, rows, stdoutStyle()))
})

const none = 'No services; start one: nexus service start NAME --script FILE\n'

/** Whether a service does its work. */
function works(state: ServiceState): boolean {
  return state === 'online' || state === 'initialising'
}

function paint(style: Style, { state }: { state: ServiceState }, text: string): string {
  if (works(state)) return style.good(text)
  return state === 'errored' || state === 'unhealthy' ? style.bad(text) : style.warn(text)
}

function runningOf({ instances }: ServiceStatus): string {
  return `${instances.filter(({ state }) => works(state)).length}/${instances.length}`
}

function uptimeOf({ startedAt }: InstanceStatus): number | null {
  return startedAt === null ? null : Math.max(0, Date.now() - startedAt)
}

function percent(value: number): string {
  return `${value.toFixed(1)} %`
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const

/** `42s`, `12m`, `5h` or `3d`. */
function duration(ms: number | null): string {
  if (ms === null) return '-'
  const seconds = Math.floor(ms / 1000)
  const [unit, size] = units.find(([, size]) => seconds >= 2 * size) ?? ['s', 1]
  return `${Math.floor(seconds / size)}${unit}`
}
