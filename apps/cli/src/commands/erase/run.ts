import type { CloudEvent } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt, CommandError } from '../../server/failure.js'
import { confirm } from '../../terminal/confirm.js'
import { print } from '../../terminal/output.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { erase } from './command.js'

/** `nexus erase <id>` */
export const runErase = runs(erase, async ({ values, operands: [id = ''] }) => {
  const client = connect(values.url)
  const { reason, source } = values
  if (!values.yes && !process.stdin.isTTY) {
    throw new UsageError('erase: there is no terminal to ask on; add --yes to erase without asking')
  }
  const hints = {
    404: `No event has the id ${id}; list the newest with: nexus events`,
    409: `Events of several sources have the id ${id}; choose one with --source`,
  }
  const query = source === undefined ? {} : { source }
  if (!values.yes) {
    const { event } = await attempt('fetch event', client.url, client.getEvent(id, query), hints)
    if (!(await confirm(question(event)))) throw new CommandError('Nothing was erased')
  }
  const asked = { ...query, ...(reason === undefined ? {} : { reason }) }
  const receipt = await attempt('erase event', client.url, client.erase(id, asked), hints)
  if (values.json) return print(`${toJson(receipt, 2)}\n`)
  print(`Erased the data, results and logs of ${printable(receipt.id)}.\n`)
})

function question({ id, type, source, time }: CloudEvent): string {
  const what = `${printable(id)} (${printable(type)} of ${printable(source)}, ${printable(time)})`
  return `Erase the data, results and logs of ${what}? They cannot be brought back. [y/N] `
}
