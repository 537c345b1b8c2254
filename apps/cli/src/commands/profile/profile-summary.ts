import type {
  AllocatingCode,
  ProfiledCode,
  ProfiledFunction,
  ProfiledThread,
  ProfileReport,
} from '@nexus/client'
import { printable, type Style } from '../../terminal/terminal.js'

/** Lines of a table; the rest is in the JSON. */
const rows = 10
const width = 80

/** A profile for a terminal of 80 columns. */
export function profileSummary(report: ProfileReport, style: Style): string {
  const { functions, host, threads, process, sandbox, suggestions } = report
  return [
    section('Functions', style, functionTable(functions)),
    ...(report.heap
      ? [section('Memory allocated and in use', style, heapTable(report.heap.functions))]
      : []),
    section('Host code, by CPU time', style, hostTable(host)),
    ...(threads.length === 0
      ? []
      : [section('Sandbox threads, by CPU time', style, threadTable(threads))]),
    section('Process', style, [
      `CPU ${process.cpuPercent.toFixed(1)} % of a core, event loop busy ${process.eventLoopBusyPercent.toFixed(1)} %, delay p99 ${milliseconds(process.eventLoopDelayP99Ms)}`,
      `memory ${bytes(process.residentBytes)}, heap ${bytes(process.heapUsedBytes)}, garbage collection ${milliseconds(process.gcMs)}`,
    ]),
    section('Sandbox', style, [
      `code from cache ${count(sandbox.cacheHits)} ×, compiled ${count(sandbox.compiled)} ×, evicted ${count(sandbox.evictions)} ×`,
      `${count(sandbox.instances)} instances of ${bytes(sandbox.memoryBytes)} in all`,
      `rewound ${count(sandbox.rewinds)} ×, discarded ${count(sandbox.discards)} ×, threads ended ${count(sandbox.threadKills)} ×`,
    ]),
    ...(suggestions.length === 0
      ? []
      : [
          section(
            'Suggestions',
            style,
            suggestions.flatMap(({ title, severity, advice }) => [
              ...wrap(`${severity}: ${title}`),
              ...wrap(`  ${advice}`),
            ]),
          ),
        ]),
  ].join('\n')
}

function section(title: string, style: Style, lines: readonly string[]): string {
  const body = lines.map((line) => `  ${fit(line, width - 2)}\n`).join('')
  return `${style.bold(title)}\n${style.rule()}${body}`
}

function functionTable(functions: readonly ProfiledFunction[]): string[] {
  if (functions.length === 0) return ['none was called']
  const head = ['calls', 'failed', 'time', 'mean ms', 'p95 ms', 'memory']
  const line = (name: string, cells: readonly string[]) =>
    `${fit(name, 28).padEnd(28)}${cells.map((cell) => cell.padStart(8)).join('')}`
  const lines = functions
    .slice(0, rows)
    .map((entry) =>
      line(entry.function, [
        count(entry.calls),
        count(entry.failed),
        `${(entry.share * 100).toFixed(1)} %`,
        entry.averageMs.toFixed(2),
        entry.p95Ms.toFixed(2),
        bytes(entry.memoryPeakBytes),
      ]),
    )
  return [line('', head), ...lines, ...more(functions.length)]
}

function hostTable(host: readonly ProfiledCode[]): string[] {
  if (host.length === 0) return ['idle']
  const lines = host.slice(0, rows).map((code) => codeLine(code, milliseconds(code.selfMs)))
  return [...lines, ...more(host.length)]
}

function heapTable(functions: readonly AllocatingCode[]): string[] {
  const lines = functions.slice(0, rows).map((code) => codeLine(code, bytes(code.selfBytes)))
  return [...lines, ...more(functions.length)]
}

type Code = Pick<ProfiledCode, 'name' | 'url' | 'line' | 'share'>

/** A function with its share and what it cost; of its file only the name. */
function codeLine({ name, url, line, share }: Code, cost: string): string {
  const file = url.slice(url.lastIndexOf('/') + 1)
  const percent = `${(share * 100).toFixed(1)} %`
  const what = file === '' ? name : `${name} ${file}:${line}`
  return `${percent.padStart(8)}  ${cost.padStart(10)}  ${what}`
}

/** Of each thread what took the most: the rest is in the flame graph. */
function threadTable(threads: readonly ProfiledThread[]): string[] {
  return threads.map(({ name, busyMs, code }) => {
    const [most] = code
    const what = most ? `, most in ${most.name} (${(most.share * 100).toFixed(1)} %)` : ''
    return `${name.padEnd(12)}${milliseconds(busyMs).padStart(10)}${what}`
  })
}

function more(length: number): string[] {
  return length > rows ? [`… and ${length - rows} more`] : []
}

function fit(text: string, columns: number): string {
  const shown = printable(text)
  return shown.length > columns ? `${shown.slice(0, columns - 1)}…` : shown
}

/** Breaks text between words so that it fits below its title. */
function wrap(text: string): string[] {
  const lines: string[] = []
  const indent = /^ */.exec(text)![0]
  let line = indent
  for (const word of printable(text).trim().split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width - 2) {
      lines.push(line)
      line = indent
    }
    line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`
}

function bytes(value: number): string {
  return value >= 1024 ** 2
    ? `${(value / 1024 ** 2).toFixed(0)} MiB`
    : `${Math.ceil(value / 1024)} KiB`
}
