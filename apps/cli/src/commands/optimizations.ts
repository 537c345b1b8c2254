import { parseArguments, UsageError } from '../arguments.js'
import { connect, connectionOptions } from '../connection.js'
import { attempt } from '../failure.js'
import { describeOptimizations, describeTurn } from '../optimizations-text.js'
import { print, styleOf, toJson } from '../terminal.js'

const usage = 'expected nothing, apply <id> or undo <id>'

/** `nexus optimizations`, `nexus optimizations apply <id>` and `nexus optimizations undo <id>` */
export async function optimizations(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArguments(args, connectionOptions, 2)
  const [action, id] = positionals
  const client = connect(values.url)
  if (action === undefined) {
    const report = await attempt('fetch optimizations', client.url, client.optimizations())
    return print(
      values.json
        ? `${toJson(report, 2)}\n`
        : describeOptimizations(report, styleOf(process.stdout)),
    )
  }
  if ((action !== 'apply' && action !== 'undo') || id === undefined) {
    throw new UsageError(`optimizations: ${usage}`)
  }
  const turning = action === 'apply' ? client.applyOptimization(id) : client.undoOptimization(id)
  const turned = await attempt(`${action} ${id}`, client.url, turning, {
    404: `No optimization has the id ${id}; list them with: nexus optimizations`,
  })
  print(values.json ? `${toJson(turned, 2)}\n` : describeTurn(turned))
}
