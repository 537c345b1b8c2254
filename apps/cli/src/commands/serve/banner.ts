import { relative } from 'node:path'
import type { Runtime } from '@nexus/runtime'
import { printable, type Style } from '../../terminal/terminal.js'

/** What a start says: the address, the functions, where the data lies, and a line to try. */
export function banner({ url, config }: Runtime, watching: boolean, style: Style): string {
  const functions = config.functions.map(({ name, events = [], schedule }) => {
    const cron = typeof schedule === 'object' ? schedule.cron : schedule
    const starts = [...events, ...(cron === undefined ? [] : [`at ${cron}`])].join(', ')
    return `${printable(name).padEnd(20)} ${style.dim(printable(starts))}`
  })
  const rows: [string, string[]][] = [
    ['Functions', functions.length > 0 ? functions : ['none; add some to the configuration']],
    ['Config', [shown(config.file) + (watching ? style.dim('  (reloads on change)') : '')]],
    busRow(config),
  ]
  const lines = rows.flatMap(([name, values]) =>
    values.map((value, index) => `  ${style.dim((index === 0 ? name : '').padEnd(10))} ${value}\n`),
  )
  const tried = tryLine(url, config).map((line) => `  ${line}\n`)
  const trial = tried.length === 0 ? '' : `\n  Try it:\n${tried.join('')}`
  return `${style.bold(`Nexus is running on ${url}`)}\n${lines.join('')}${trial}\n`
}

function busRow({ bus, dataDir }: Runtime['config']): [string, string[]] {
  if (bus.address !== undefined) return ['Bus', [`${bus.backend} at ${printable(bus.address)}`]]
  if (bus.backend === 'local') return ['Data', [shown(dataDir)]]
  return ['Data', ['in memory; it goes with the process']]
}

/** A line that starts a function: one with a sample where there is one, else the first that events start, else any. */
function tryLine(url: string, { functions }: Runtime['config']): string[] {
  const byEvents = functions.filter(({ events = [] }) => events.length > 0)
  const tried = byEvents.find(({ sample }) => sample !== undefined) ?? byEvents[0] ?? functions[0]
  if (tried === undefined) return []
  const { name, events = [], http, sample = { name: 'world' } } = tried
  if (http !== undefined) return [`curl ${url}${exampleOf(http.path, /[:*]\w*/g)}`]
  if (events.length === 0) {
    return [`nexus invoke ${printable(name)} ${quoted(sample)} --url ${url}`]
  }
  const type = exampleOf(events.find((pattern) => !/[*>]/.test(pattern)) ?? events[0]!, /[*>]/g)
  return [
    `curl ${url}/api/webhook -H 'content-type: application/json' \\`,
    `  -d ${quoted({ type, data: sample })}`,
  ]
}

/** What a pattern matches. */
function exampleOf(pattern: string, wildcards: RegExp): string {
  return printable(pattern.replaceAll(wildcards, 'example'))
}

/** JSON as one word of a shell: within single quotes only the single quote itself needs care. */
function quoted(value: unknown): string {
  return printable(`'${JSON.stringify(value).replaceAll("'", `'\\''`)}'`)
}

function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return printable(short === '' || short.startsWith('..') ? path : short)
}
