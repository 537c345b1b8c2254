import { constants } from 'node:os'
import type { Activity, Runtime } from '@nexus/runtime'
import { type Invocation, runs } from '../../command-line/parse.js'
import { print, printError } from '../../terminal/output.js'
import { styleOf, toJson } from '../../terminal/terminal.js'
import { activityLine } from './activity-line.js'
import { banner } from './banner.js'
import { dev, start } from './command.js'
import { logLine } from './log-line.js'
import { stopSignal } from './stop-signal.js'

/** How long closing may take after the drain time. */
const graceMs = 2000

/** `nexus dev`: shows every run, and reloads functions that change. */
export const runDev = runs(dev, (invocation) => serve(invocation, { watch: true }))

/** `nexus start`: writes its log to stderr, as text on a terminal and as JSON in a pipe. */
export const runStart = runs(start, (invocation) => serve(invocation, { watch: false }))

async function serve(
  { values }: Invocation<typeof start.options>,
  { watch }: { watch: boolean },
): Promise<void> {
  const { port } = values
  const style = styleOf(process.stdout)
  const stopped = stopSignal(endAtOnce)
  const showActivity = (activity: Activity) =>
    print(values.json ? `${toJson(timed(activity))}\n` : activityLine(activity, style))
  const { startRuntime } = await import('@nexus/runtime')
  const runtime = await startRuntime({
    config: values.config ?? 'nexus.yaml',
    watch,
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(port === undefined ? {} : { port }),
    ...(watch ? { onActivity: showActivity } : { onLog: values.json ? printLine : logOf() }),
  })
  print(values.json ? `${toJson(timed(listening(runtime)))}\n` : banner(runtime, watch, style))
  await stopped
  if (!values.json) print('\nStopping … (Ctrl-C again ends at once)\n')
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

/** With the code that a shell gives a process that the signal ended. */
function endAtOnce(signal: 'SIGINT' | 'SIGTERM'): void {
  printError('Ended without waiting; calls under way run again after the next start.\n')
  process.exit(128 + constants.signals[signal])
}

/** With `--json` everything is on stdout, one object in each line. */
function printLine(line: string): void {
  print(line)
}

function logOf(): (line: string) => void {
  const style = styleOf(process.stderr)
  return process.stderr.isTTY ? (line) => printError(logLine(line, style)) : printError
}

function timed(entry: object): object {
  return { time: new Date().toISOString(), ...entry }
}
