import { NexusClientError } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { connect } from '../../server/connect.js'
import { attempt, CommandError } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { toJson } from '../../terminal/terminal.js'
import { readData } from '../read-data.js'
import { invoke } from './command.js'

const EVENTS = "nexus events --type 'nexus.invoke.>'"

/** `nexus invoke <function> [data]` */
export const runInvoke = runs(invoke, async ({ values, operands: [name = '', data] }) => {
  const { key, 'timeout-ms': timeoutMs } = values
  const query = { timeoutMs, ...(key === undefined ? {} : { idempotencyKey: key }) }
  const body = data === undefined ? null : await readData('invoke', data)
  const client = connect(values.url)
  const asked = client.invoke(name, body, query).catch((error: unknown) => {
    throw failureOf(name, error)
  })
  const invocation = await attempt('invoke function', client.url, asked, {
    404: `No function has the name ${name}; nexus.yaml names them`,
    504: `It goes on; see how it ends with: ${EVENTS}`,
  })
  print(`${toJson(values.json ? invocation : (invocation.value ?? null), 2)}\n`)
})

/** What the function threw says more than the status of the answer. */
function failureOf(name: string, error: unknown): unknown {
  if (!(error instanceof NexusClientError) || error.serverCode !== 'FUNCTION_FAILED') return error
  const message = `${name} failed: ${error.serverMessage ?? 'it says no reason'}`
  return new CommandError(message, `See every attempt with: ${EVENTS}`, { cause: error })
}
