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
  return `${style.bold(`Nexus is running on ${url}`)}\n${lines.join('')}\n  Try it:\n${tryLine(url, config)}\n\n`
}

function busRow({ bus, dataDir }: Runtime['config']): [string, string[]] {
  if (bus.address !== undefined) return ['Bus', [`${bus.backend} at ${printable(bus.address)}`]]
  if (bus.backend === 'local') return ['Data', [shown(dataDir)]]
  return ['Data', ['in memory; it goes with the process']]
}

/** A curl line that the first function with a sample has an answer to. */
function tryLine(url: string, { functions }: Runtime['config']): string {
  const sampled = functions.find(({ sample }) => sample !== undefined)
  const type = sampled?.events?.find((pattern) => !/[*>]/.test(pattern)) ?? 'com.example.hello'
  const body = JSON.stringify({ type, data: sampled?.sample ?? { name: 'world' } })
  // Within single quotes of a shell only the single quote itself needs care.
  const quoted = body.replaceAll("'", `'\\''`)
  return `  curl ${url}/api/webhook -H 'content-type: application/json' \\\n    -d '${printable(quoted)}'`
}

function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return printable(short === '' || short.startsWith('..') ? path : short)
}
