import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { styleOf, toJson } from '../../terminal/terminal.js'
import { metrics } from './command.js'
import { describeMetrics } from './metrics-text.js'
import { watchMetrics } from './metrics-watch.js'

/** `nexus metrics` and `nexus metrics --watch` */
export const runMetrics = runs(metrics, async ({ values, given }) => {
  if (given.has('interval') && !values.watch) {
    throw new UsageError('--interval is for --watch')
  }
  const client = connect(values.url)
  if (values.watch) {
    return watchMetrics(client, { intervalMs: 1000 * values.interval, json: values.json })
  }
  const report = await attempt('fetch metrics', client.url, client.metrics())
  print(values.json ? `${toJson(report, 2)}\n` : describeMetrics(report, styleOf(process.stdout)))
})
