import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { styleOf, toJson } from '../../terminal/terminal.js'
import { optimizations } from './command.js'
import { describeOptimizations, describeTurn } from './optimizations-text.js'

/** `nexus optimizations`, `nexus optimizations apply <id>` and `nexus optimizations undo <id>` */
export const runOptimizations = runs(optimizations, async ({ values, operands: [action, id] }) => {
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
    throw new UsageError(optimizations.operands?.expected ?? '')
  }
  const turning = action === 'apply' ? client.applyOptimization(id) : client.undoOptimization(id)
  const turned = await attempt(`${action} ${id}`, client.url, turning, {
    404: `No optimization has the id ${id}; list them with: nexus optimizations`,
  })
  print(values.json ? `${toJson(turned, 2)}\n` : describeTurn(turned))
})
