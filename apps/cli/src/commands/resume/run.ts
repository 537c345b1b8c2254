import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { resume } from './command.js'

/** `nexus resume` */
export const runResume = runs(resume, async ({ values, operands: [id = ''] }) => {
  const { value, error, json } = values
  if (value !== undefined && error !== undefined) {
    throw new UsageError('resume: expected --value or --error, got both')
  }
  const client = connect(values.url)
  const body = error !== undefined ? { error } : value === undefined ? {} : { value: parsed(value) }
  const receipt = await attempt('resume', client.url, client.resumeSuspension(id, body))
  print(json ? `${toJson(receipt, 2)}\n` : `Resumed: ${printable(receipt.function)}\n`)
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new UsageError(`resume: expected --value to be JSON, such as '{"by":"Ada"}'`)
  }
}
