import { parseArguments, UsageError } from '../arguments.js'
import { connect, connectionOptions } from '../connection.js'
import { attempt } from '../failure.js'
import { print, printable, toJson } from '../terminal.js'

/** `nexus replay <id>` */
export async function replay(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArguments(args, connectionOptions, 1)
  const [id] = positionals
  if (id === undefined) throw new UsageError('replay: expected the id of an event')
  const client = connect(values.url)
  const receipt = await attempt('replay event', client.url, client.replay(id), {
    404: `No event has the id ${id}; list the newest with: nexus events`,
  })
  if (values.json) return print(`${toJson(receipt, 2)}\n`)
  const to = receipt.deliveries === 1 ? '1 function' : `${receipt.deliveries} functions`
  print(`Replayed ${printable(id)} to ${to}; see what came of it: nexus events ${printable(id)}\n`)
}
