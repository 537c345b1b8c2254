import type { CloudEvent, EventWithRuns, FunctionRun, LogLine, RunStatus } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import {
  indentRest,
  print,
  printable,
  printableLines,
  type Style,
  styleOf,
  toJson,
} from '../../terminal/terminal.js'
import { events } from './command.js'

/** `nexus events` and `nexus events <id>` */
export const runEvents = runs(events, async ({ values, operands, given }) => {
  const client = connect(values.url)
  const [id] = operands
  if (id !== undefined) {
    if (given.has('limit') || given.has('type')) {
      throw new UsageError('--limit and --type are for lists; leave them out with an id')
    }
    const details = await attempt('fetch event', client.url, client.getEvent(id), {
      404: `No event has the id ${id}; list the newest with: nexus events`,
    })
    return print(values.json ? `${toJson(details, 2)}\n` : describe(details))
  }
  const page = await attempt(
    'fetch events',
    client.url,
    client.listEvents({
      limit: values.limit,
      ...(values.type === undefined ? {} : { type: values.type }),
    }),
  )
  if (values.json) return print(`${toJson(page, 2)}\n`)
  if (page.events.length === 0) return print(emptyLog(client.url, values.type))
  const style = styleOf(process.stdout)
  const total = page.total === undefined ? '' : `${page.total} total events, `
  const heading = `${total}showing ${page.events.length}`
  print(`${style.bold(heading)}\n${page.events.map((event) => summary(event, style)).join('')}`)
})

function emptyLog(url: string, type: string | undefined): string {
  if (type !== undefined) return `No events of type ${printable(type)}.\n`
  return `No events yet. Publish one with:
  curl -X POST ${url}/api/webhook -H 'content-type: application/json' \\
    -d '{"type":"com.example.hello","data":{"name":"world"}}'
`
}

function summary(event: CloudEvent, style: Style): string {
  return `${style.rule() || '\n'}${style.bold(printable(event.id))}
${field('Type', printable(event.type), style)}${field('Time', printable(event.time), style)}${data(event, style)}`
}

function describe({ event, runs }: EventWithRuns): string {
  const style = styleOf(process.stdout)
  const head = [
    `${style.bold(printable(event.id))}\n`,
    field('Type', printable(event.type), style),
    field('Source', printable(event.source), style),
    field('Time', printable(event.time), style),
    data(event, style),
  ]
  const done =
    runs.length === 0
      ? '\nNo function listens to this type.\n'
      : runs.map((run) => describeRun(run, style)).join('')
  return head.join('') + done
}

function describeRun(run: FunctionRun, style: Style): string {
  const took = run.durationMs === undefined ? '' : ` in ${run.durationMs.toFixed(2)} ms`
  const attempts = `${run.attempts} ${run.attempts === 1 ? 'attempt' : 'attempts'}`
  const lines = [
    style.rule() || '\n',
    `${style.bold(printable(run.function))}  ${colored(run.status, style)}${took}, ${attempts}\n`,
    ...(run.value === undefined ? [] : [field('Returned', inset(run.value), style)]),
    ...run.logs.map((line) => field('Log', logLine(line), style)),
  ]
  if (run.error) {
    const { code, message, stack } = run.error
    const detail = printableLines(stack?.includes(message) ? stack : `${message}\n${stack ?? ''}`)
    lines.push(field('Error', indentRest(`${printable(code)}: ${detail.trimEnd()}`, 12), style))
  }
  return lines.join('')
}

function colored(given: RunStatus, style: Style): string {
  const status = printable(given)
  if (status === 'succeeded') return style.good(status)
  return status === 'dead-lettered' ? style.bad(status) : style.warn(status)
}

function logLine({ level, message, fields }: LogLine): string {
  return `${printable(level)} ${printable(message)}${fields === undefined ? '' : ` ${toJson(fields)}`}`
}

function data({ data }: CloudEvent, style: Style): string {
  return data === undefined ? '' : field('Data', inset(data), style)
}

function inset(value: unknown): string {
  return indentRest(toJson(value, 2), 12)
}

/** `  Name      value`, the value from column 13 on. */
function field(name: string, value: string, style: Style): string {
  return `  ${style.dim(name.padEnd(10))}${value}\n`
}
