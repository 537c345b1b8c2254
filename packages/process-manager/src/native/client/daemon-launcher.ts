import { spawn } from 'node:child_process'
import { closeSync, constants, openSync, rmSync, statSync, utimesSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { DAEMON_PATH } from '../../entry-points.js'
import { ProcessManagerError } from '../../errors.js'
import { APPEND, openLog } from '../files/regular-file.js'
import { homeUnusable } from '../home-unusable.js'
import type { DaemonOptions } from '../options.js'
import type { NativePaths } from '../paths.js'

/** The daemon's own log is emptied when it is larger than this. */
const MAX_DAEMON_LOG_BYTES = 2 ** 20
const RETRY_MS = 10
/** A daemon starts in a tenth of that. */
const ANNOUNCED_FOR_MS = 1_000

/**
 * Sees to it that a daemon is about to answer. Of several clients that call this at once, one starts it and the others
 * wait a moment; the caller then connects again.
 *
 * @throws ProcessManagerError `DAEMON_UNREACHABLE`, `HOME_UNUSABLE`
 */
export async function launchDaemon(
  paths: NativePaths,
  home: string,
  options: DaemonOptions,
  timeoutMs: number,
): Promise<void> {
  const announced = announceStart(paths)
  if (!announced) return await pause(RETRY_MS)
  try {
    const said = await spawnDaemon(paths, home, options, timeoutMs)
    if (said === 'ready') return
    // Another daemon lives, though its socket is gone: it makes a new one within a second.
    if (said === 'held') return await pause(5 * RETRY_MS)
    throw unreachable(paths, said)
  } finally {
    rmSync(paths.startLock, { force: true })
  }
}

/**
 * Whether this client is to start the daemon, rather than another one that is about to. It only keeps a crowd of clients
 * from starting one each: that a single one lives is seen to by the daemon's own lock, whose module takes too long to load
 * here.
 */
function announceStart(paths: NativePaths): boolean {
  try {
    closeSync(openSync(paths.startLock, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return takeOver(paths.startLock)
    throw homeUnusable(paths.root, error)
  }
}

/** Takes over from a client that announced a start and was killed, or whose daemon takes very long. */
function takeOver(path: string): boolean {
  const announcedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  const now = Date.now()
  if (announcedAt === undefined || Math.abs(now - announcedAt) <= ANNOUNCED_FOR_MS) return false
  try {
    // For the others, this is an announcement like any other.
    utimesSync(path, now / 1_000, now / 1_000)
    return true
  } catch {
    // It was just taken back: that start has ended.
    return false
  }
}

/** What the daemon says first; it runs on by itself. */
async function spawnDaemon(
  paths: NativePaths,
  home: string,
  options: DaemonOptions,
  timeoutMs: number,
): Promise<string> {
  const log = openDaemonLog(paths.daemonLog)
  const daemon = spawn(process.execPath, [DAEMON_PATH, home, JSON.stringify(options)], {
    cwd: paths.root,
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    windowsHide: true,
  })
  if (log !== 'ignore') closeSync(log)
  const channel = daemon.stdio[3] as Readable
  try {
    return await new Promise<string>((resolve) => {
      const late = setTimeout(
        () => resolve(`it did not say that it is ready within ${timeoutMs} ms`),
        timeoutMs,
      )
      const say = (line: string) => {
        clearTimeout(late)
        resolve(line)
      }
      channel.once('data', (chunk: Buffer) => say(chunk.toString()))
      channel.once('error', () => {})
      daemon.once('error', (error) => say(error.message))
      daemon.once('exit', (code, signal) => say(`it ended with ${signal ?? `code ${code}`}`))
    })
  } finally {
    daemon.unref()
    channel.destroy()
  }
}

/** A daemon that cannot write down what it has to say is better than none. */
function openDaemonLog(path: string): number | 'ignore' {
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    return openLog(path, size > MAX_DAEMON_LOG_BYTES ? APPEND | constants.O_TRUNC : APPEND)
  } catch {
    return 'ignore'
  }
}

function unreachable(paths: NativePaths, reason: string) {
  return new ProcessManagerError(
    'DAEMON_UNREACHABLE',
    `The daemon did not start: ${reason}. ${paths.daemonLog} says more.`,
    { details: { log: paths.daemonLog, reason } },
  )
}
