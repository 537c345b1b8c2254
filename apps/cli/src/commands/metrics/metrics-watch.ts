import { setTimeout as delay } from 'node:timers/promises'
import { type MetricsReport, type NexusClient, NexusClientError } from '@nexus/client'
import { attempt, CommandError } from '../../server/failure.js'
import { drawScreen, print, printError } from '../../terminal/output.js'
import { printable, styleOf, toJson } from '../../terminal/terminal.js'
import { describeMetrics, metricsLine } from './metrics-text.js'

/** How metrics are watched. */
export interface WatchOptions {
  intervalMs: number
  json: boolean
}

/** Shows the metrics of a server until SIGINT or SIGTERM, also across its restarts. */
export async function watchMetrics(
  client: NexusClient,
  { intervalMs, json }: WatchOptions,
): Promise<void> {
  // There is nothing to put in order, and an answer that is under way may take its time.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0))
  const show = json ? showJson : process.stdout.isTTY ? showScreen : showLine
  const read = () => attempt('fetch metrics', client.url, client.metrics())
  // A server that was never there is a mistake in the URL rather than a restart.
  show(await read())
  let reachable = true
  for (;;) {
    await delay(intervalMs)
    try {
      show(await read())
      reachable = true
    } catch (error) {
      if (!isPassing(error)) throw error
      if (reachable) printError(`${clock()} ${printable(error.message)}; trying again\n`)
      reachable = false
    }
  }
}

/** Whether the failure may be a restart: no server answers, or it is not ready. */
function isPassing(error: unknown): error is CommandError {
  if (!(error instanceof CommandError && error.cause instanceof NexusClientError)) return false
  const { code, status = 0 } = error.cause
  return code !== 'HTTP_ERROR' || status >= 500
}

function showJson(report: MetricsReport): void {
  print(`${toJson({ time: new Date().toISOString(), ...report })}\n`)
}

function showLine(report: MetricsReport): void {
  print(`${clock()} ${metricsLine(report)}\n`)
}

function showScreen(report: MetricsReport): void {
  const style = styleOf(process.stdout)
  const text = `${describeMetrics(report, style)}\n${style.dim(`${clock()}  Ctrl-C ends`)}\n`
  drawScreen(text)
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8)
}
