import { runs } from '../../command-line/parse.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { counted } from '../../terminal/counted.js'
import { print } from '../../terminal/output.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { replay } from './command.js'

/** `nexus replay <id>` */
export const runReplay = runs(replay, async ({ values, operands: [id = ''] }) => {
  const client = connect(values.url)
  const query = values.source === undefined ? {} : { source: values.source }
  const receipt = await attempt('replay event', client.url, client.replay(id, query), {
    404: `No event has the id ${id}; list the newest with: nexus events`,
    409: `Events of several sources have the id ${id}; choose one with --source`,
  })
  if (values.json) return print(`${toJson(receipt, 2)}\n`)
  const to = counted(receipt.deliveries, 'function')
  print(`Replayed ${printable(id)} to ${to}; see what it did with: nexus events ${printable(id)}\n`)
})
