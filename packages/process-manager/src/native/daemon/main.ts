import { closeSync, openSync, writeSync } from 'node:fs'
import { createProcessOutput } from '../../warm-pool/process-output.js'
import { WarmPool } from '../../warm-pool/warm-pool.js'
import { DAEMON_DEFAULTS, type DaemonOptions } from '../options.js'
import { nativePaths, socketAddress } from '../paths.js'
import { MEASURE_INTERVAL_MS } from '../status-file.js'
import { CommandServer } from './commands/command-server.js'
import { DaemonHome } from './daemon-home.js'
import { keptBytes } from './output/service-log.js'
import { StatusWriter } from './state/status-writer.js'
import { Warnings } from './state/warnings.js'
import { Supervisor } from './supervisor.js'

// The daemon: `node daemon.cjs <home> <options as JSON>`. Says `ready`, `held` (another one lives) or why it cannot
// start on file descriptor 3, for the client that started it.

/** A service that starts at once has the processor for itself. */
const FILL_DELAY_MS = 300

const [home = '', optionsText = '{}'] = process.argv.slice(2)
const options: DaemonOptions = JSON.parse(optionsText)
const { maxLogBytes, maxOldLogs, idleExitMs } = { ...DAEMON_DEFAULTS, ...options }

/** What a full disk keeps the daemon from. */
const KEEP_OUTPUT = 'keep what the next process prints'

/** How many unexpected errors are written down: one that repeats must not fill the disk. */
const MAX_TELLINGS = 100

void main().catch((error: Error) => {
  tellStarter(`failed: ${error.message}`)
  process.exitCode = 1
})

async function main() {
  process.title = 'nexus: daemon'
  const paths = nativePaths(home)
  const daemonHome = DaemonHome.take(paths)
  if (daemonHome === null) return tellStarter('held')

  const warnings = surviveWhatFails()
  const logLimits = { maxBytes: maxLogBytes, maxOldFiles: maxOldLogs }
  const pool = new WarmPool({ fillDelayMs: FILL_DELAY_MS, ...options.warmPool }, () => {
    try {
      const output = createProcessOutput(paths.output)
      warnings.clear(KEEP_OUTPUT)
      return { output, keptBytes: keptBytes(logLimits) }
    } catch (error) {
      warnings.warn(KEEP_OUTPUT, error)
      return null
    }
  })
  const supervisor = new Supervisor(paths, daemonHome, logLimits, pool, warnings, () =>
    status.changed(),
  )
  const status = new StatusWriter(paths, daemonHome, () => supervisor.list(), warnings)
  const server: CommandServer = new CommandServer(
    socketAddress(paths, () => openSync(paths.root, 'r')),
    {
      start: ({ definition, timeoutMs }, gone) => supervisor.start(definition, timeoutMs, gone),
      stop: ({ name }) => supervisor.stop(name),
      restart: ({ name, timeoutMs }, gone) => supervisor.restart(name, timeoutMs, gone),
      reload: ({ name, timeoutMs }, gone) => supervisor.reload(name, timeoutMs, gone),
      scale: ({ name, instances, timeoutMs }, gone) =>
        supervisor.scale(name, instances, timeoutMs, gone),
      delete: async ({ name }) => {
        await supervisor.delete(name)
        status.changed()
        return null
      },
      list: () => supervisor.list(),
      health: ({ name, timeoutMs }) => supervisor.health(name, timeoutMs),
      save: () => supervisor.save(),
      resurrect: ({ timeoutMs }, gone) => supervisor.resurrect(timeoutMs, gone),
      stats: () => ({
        pid: process.pid,
        uptimeMs: Math.round(process.uptime() * 1_000),
        memoryBytes: process.memoryUsage.rss(),
        services: supervisor.services,
        processes: supervisor.processes,
        requests: server.requests,
        warmPool: pool.getStats(),
        warnings: warnings.list(),
      }),
      shutdown: async () => {
        await supervisor.stopAll()
        // After the answer is on its way.
        setTimeout(exit, 10)
        return null
      },
    },
    () => {
      status.flush()
      return warnings.list()
    },
  )

  supervisor.restore()
  await server.listen()
  status.write()
  tellStarter('ready')

  let idleSince = performance.now()
  setTimeout(tick, MEASURE_INTERVAL_MS)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void supervisor.stopAll().then(exit))
  }
  process.on('SIGHUP', () => {})

  /** What is to be looked at all the time. */
  async function tick() {
    try {
      // No client can reach this daemon any more, nor could it stop what runs here.
      if (!daemonHome?.isOurs) return await supervisor.stopAll().then(exit)
      if (!server.reachable) {
        await server.reopen().catch((error) => warnings.warn('make its socket again', error))
      }
      if (supervisor.processes > 0) {
        await supervisor.measure()
        status.measured()
      }
      if (supervisor.active || server.clients > 0) idleSince = performance.now()
      else if (idleExitMs > 0 && performance.now() - idleSince > idleExitMs) exit()
    } finally {
      setTimeout(tick, MEASURE_INTERVAL_MS)
    }
  }

  function exit() {
    pool.close()
    server.close()
    status.write()
    process.exit(0)
  }
}

function tellStarter(line: string) {
  try {
    writeSync(3, line)
    closeSync(3)
  } catch {
    // Started by hand, or the client is gone.
  }
}

/** What stands in for crashing: services depend on this process, and most of what fails here is a disk. */
function surviveWhatFails(): Warnings {
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const warnings = new Warnings((line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`)
  })
  let tellings = 0
  process.on('uncaughtException', (error) => {
    warnings.warn('finish something', error)
    if (tellings++ < MAX_TELLINGS) process.stderr.write(`${error.stack}\n`)
  })
  return warnings
}
