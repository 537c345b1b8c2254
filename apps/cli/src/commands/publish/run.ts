import type { EventOutcome, NewEvent } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt, CommandError } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { printable, styleOf, toJson } from '../../terminal/terminal.js'
import { describeRun } from '../events/describe-run.js'
import { readData } from '../read-data.js'
import { publish } from './command.js'

/** `nexus publish <type> [data]` */
export const runPublish = runs(publish, async ({ values, operands: [type = '', data], given }) => {
  const { wait, id, source, subject, json } = values
  if (given.has('timeout-ms') && !wait) {
    throw new UsageError('--timeout-ms is for --wait; without it nothing is waited for')
  }
  const event: NewEvent = {
    type,
    ...(data !== undefined && { data: await readData('publish', data) }),
    ...(id !== undefined && { id }),
    ...(source !== undefined && { source }),
    ...(subject !== undefined && { subject }),
  }
  const client = connect(values.url)
  if (!wait) {
    const receipt = await attempt('publish event', client.url, client.publish(event))
    if (json) return print(`${toJson(receipt, 2)}\n`)
    const stored = receipt.duplicate ? 'Stored before' : 'Published'
    const shown = printable(receipt.id)
    return print(`${stored}: ${shown}; see what functions do with it: nexus events ${shown}\n`)
  }
  const query = { wait, timeoutMs: values['timeout-ms'] } as const
  const outcome = await attempt('publish event', client.url, client.publish(event, query))
  print(json ? `${toJson(outcome, 2)}\n` : describe(outcome))
  const failed = failureOf(outcome)
  if (failed) throw failed
})

function describe({ id, runs }: EventOutcome): string {
  const style = styleOf(process.stdout)
  const done =
    runs.length === 0
      ? '\nNo function listens to this type.\n'
      : runs.map((run) => describeRun(run, style)).join('')
  return `${style.bold(printable(id))}\n${done}`
}

/** Scripts go on only when every function has succeeded. */
function failureOf({ id, settled, runs }: EventOutcome): CommandError | undefined {
  const see = `See how it ends with: nexus events ${printable(id)}`
  if (!settled) return new CommandError('Not every function has ended; they go on.', see)
  const failed = runs.filter(({ status }) => status !== 'succeeded').map((run) => run.function)
  if (failed.length === 0) return undefined
  const names = failed.map(printable).join(', ')
  return new CommandError(`Failed: ${names}`, `Run it again with: nexus replay ${printable(id)}`)
}
