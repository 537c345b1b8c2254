import type { Activity, Runtime } from '@nexus/runtime'
import { type Invocation, runs } from '../../command-line/parse.js'
import { print, printError } from '../../terminal/output.js'
import { styleOf, toJson } from '../../terminal/terminal.js'
import { activityLine } from './activity-line.js'
import { banner } from './banner.js'
import { dev, start } from './command.js'

/** How long closing may take after the drain time. */
const graceMs = 2000

/** `nexus dev`: shows every run, and reloads functions that change. */
export const runDev = runs(dev, (invocation) => serve(invocation, { watch: true }))

/** `nexus start`: shows only what went wrong. */
export const runStart = runs(start, (invocation) => serve(invocation, { watch: false }))

async function serve(
  { values }: Invocation<typeof start.options>,
  { watch }: { watch: boolean },
): Promise<void> {
  const { port } = values
  const style = styleOf(process.stdout)
  const stopped = stopSignal()
  const { startRuntime } = await import('@nexus/runtime')
  const runtime = await startRuntime({
    config: values.config ?? 'nexus.yaml',
    watch,
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(port === undefined ? {} : { port }),
    onActivity: (activity) => {
      if (!watch && !wentWrong(activity)) return
      print(values.json ? `${toJson(timed(activity))}\n` : activityLine(activity, style))
    },
  })
  print(values.json ? `${toJson(timed(listening(runtime)))}\n` : banner(runtime, watch, style))
  await stopped
  if (!values.json) print('\nStopping …\n')
  giveUpAfter(runtime.config.drainTimeoutMs + graceMs)
  await runtime.close()
}

function listening({ url, config: { bus, dataDir } }: Runtime): object {
  const data = bus.backend === 'local' ? { dataDir } : {}
  return { kind: 'listening', url, bus: bus.backend, ...data }
}

/** Ends the process when calls do not end within the drain time; the bus runs their events again after the next start. */
function giveUpAfter(delayMs: number): void {
  const giveUp = () => {
    printError('Calls under way did not end in time; they run again after the next start.\n')
    process.exit(1)
  }
  setTimeout(giveUp, delayMs).unref()
}

function wentWrong(activity: Activity): boolean {
  return activity.kind === 'problem' || (activity.kind === 'run' && activity.status === 'error')
}

function timed(entry: object): object {
  return { time: new Date().toISOString(), ...entry }
}

/** Resolves at the first SIGINT or SIGTERM; one that comes during the start counts after it. */
function stopSignal(): Promise<void> {
  return new Promise((stop) => {
    // Ctrl-C reaches this process twice under npm, from the terminal and from npm: repeats are ignored.
    process.on('SIGINT', () => stop()).on('SIGTERM', () => stop())
  })
}
