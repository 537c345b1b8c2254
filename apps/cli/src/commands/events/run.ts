import type {
  CloudEventPage,
  Erasure,
  EventFilter,
  EventWithRuns,
  ListedEvent,
  NexusClient,
} from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { printable, type Style, styleOf, toJson } from '../../terminal/terminal.js'
import { events } from './command.js'
import { describeRun } from './describe-run.js'
import { field, inset } from './field.js'

/** `nexus events` and `nexus events <id>` */
export const runEvents = runs(events, async ({ values, operands, given }) => {
  const client = connect(values.url)
  const [id] = operands
  if (id !== undefined) {
    if (given.has('limit') || given.has('type')) {
      throw new UsageError('--limit and --type are for lists; leave them out with an id')
    }
    const query = values.source === undefined ? {} : { source: values.source }
    const details = await attempt('fetch event', client.url, client.getEvent(id, query), {
      404: `No event has the id ${id}; list the newest with: nexus events`,
      409: `Events of several sources have the id ${id}; choose one with --source`,
    })
    return print(values.json ? `${toJson(details, 2)}\n` : describe(details))
  }
  if (given.has('source')) throw new UsageError('--source is for one event; give its id too')
  const filter = values.type === undefined ? {} : { type: values.type }
  const page = await attempt('fetch events', client.url, newest(client, values.limit, filter))
  if (values.json) return print(`${toJson(page, 2)}\n`)
  if (page.events.length === 0) return print(emptyLog(client.url, values.type))
  const style = styleOf(process.stdout)
  const total = page.total === undefined ? '' : `${page.total} total events, `
  const heading = `${total}showing ${page.events.length}`
  print(`${style.bold(heading)}\n${page.events.map((event) => summary(event, style)).join('')}`)
})

/** As many events as were asked for: a page of the server ends early when its events are large. */
async function newest(
  client: NexusClient,
  limit: number,
  filter: EventFilter,
): Promise<CloudEventPage> {
  const page = await client.listEvents({ limit, ...filter })
  const events = [...page.events]
  let { cursor } = page
  while (cursor !== undefined && events.length < limit) {
    const next = await client.listEvents({ limit: limit - events.length, cursor, ...filter })
    events.push(...next.events)
    if (next.cursor === cursor) break
    cursor = next.cursor
  }
  return { ...page, events, ...(cursor === undefined ? {} : { cursor }) }
}

function emptyLog(url: string, type: string | undefined): string {
  if (type !== undefined) return `No events of type ${printable(type)}.\n`
  return `No events yet. Publish one with:
  curl -X POST ${url}/api/webhook -H 'content-type: application/json' \\
    -d '{"type":"com.example.hello","data":{"name":"world"}}'
`
}

function summary(event: ListedEvent, style: Style): string {
  return `${style.rule() || '\n'}${style.bold(printable(event.id))}
${field('Type', printable(event.type), style)}${field('Time', printable(event.time), style)}${data(event, style)}`
}

function describe({ event, erased, runs }: EventWithRuns): string {
  const style = styleOf(process.stdout)
  const head = [
    `${style.bold(printable(event.id))}\n`,
    field('Type', printable(event.type), style),
    field('Source', printable(event.source), style),
    field('Time', printable(event.time), style),
    data(event, style),
    ...(erased === undefined ? [] : [field('Erased', erasure(erased), style)]),
  ]
  const done =
    runs.length === 0
      ? '\nNo function listens to this type.\n'
      : runs.map((run) => describeRun(run, style)).join('')
  return head.join('') + done
}

function erasure({ at, reason }: Erasure): string {
  return printable(reason === undefined ? at : `${at}: ${reason}`)
}

function data({ id, source, data, dataOmitted }: ListedEvent, style: Style): string {
  if (dataOmitted !== undefined) {
    const see = `nexus events ${shellWord(id)} --source ${shellWord(source)}`
    const size = `${dataOmitted.bytes.toLocaleString('en-US')} bytes, not listed; see: ${see}`
    return field('Data', printable(size), style)
  }
  return data === undefined ? '' : field('Data', inset(data), style)
}

/** A text as one word of a shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-')
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`
}
