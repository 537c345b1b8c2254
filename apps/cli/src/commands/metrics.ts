import { parseArguments, parseCount, UsageError } from '../arguments.js'
import { connect, connectionOptions } from '../connection.js'
import { attempt } from '../failure.js'
import { describeMetrics } from '../metrics-text.js'
import { watchMetrics } from '../metrics-watch.js'
import { print, styleOf, toJson } from '../terminal.js'

/** `nexus metrics` and `nexus metrics --watch` */
export async function metrics(args: readonly string[]): Promise<void> {
  const { values } = parseArguments(args, {
    ...connectionOptions,
    watch: { type: 'boolean' },
    interval: { type: 'string' },
  })
  if (values.interval !== undefined && !values.watch) {
    throw new UsageError('--interval is for --watch')
  }
  const client = connect(values.url)
  if (values.watch) {
    const intervalMs = 1000 * parseCount('--interval', values.interval ?? '2', 1, 3600)
    return watchMetrics(client, { intervalMs, json: values.json === true })
  }
  const report = await attempt('fetch metrics', client.url, client.metrics())
  print(values.json ? `${toJson(report, 2)}\n` : describeMetrics(report, styleOf(process.stdout)))
}
