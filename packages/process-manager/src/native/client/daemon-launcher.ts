import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { DAEMON_PATH } from '../../entry-points.js'
import { ProcessManagerError } from '../../errors.js'
import type { DaemonOptions } from '../options.js'
import type { NativePaths } from '../paths.js'

/** What the daemon wrote about itself is begun anew beyond this. */
const MAX_DAEMON_LOG_BYTES = 2 ** 20
const RETRY_MS = 10

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
  // Only who starts a daemon needs the native module, and pays for loading it.
  const { tryLock, unlock } = (await import('fs-native-extensions')).default
  const starting = openStartLock(paths)
  try {
    if (!tryLock(starting)) return await pause(RETRY_MS)
    try {
      const said = await spawnDaemon(paths, home, options, timeoutMs)
      if (said === 'ready') return
      // Another daemon lives, though its socket is gone: it makes a new one within a second.
      if (said === 'held') return await pause(5 * RETRY_MS)
      throw unreachable(paths, said)
    } finally {
      unlock(starting)
    }
  } finally {
    closeSync(starting)
  }
}

function openStartLock(paths: NativePaths): number {
  try {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 })
    return openSync(paths.startLock, 'a', 0o600)
  } catch (error) {
    throw new ProcessManagerError(
      'HOME_UNUSABLE',
      `Expected a directory of this user at ${paths.root}: ${(error as Error).message}. Make room or give it to this user, or set NEXUS_HOME to another directory.`,
      { details: { path: paths.root }, cause: error },
    )
  }
}

/** What the daemon says first; it runs on by itself. */
async function spawnDaemon(
  paths: NativePaths,
  home: string,
  options: DaemonOptions,
  timeoutMs: number,
): Promise<string> {
  const size = statSync(paths.daemonLog, { throwIfNoEntry: false })?.size ?? 0
  const log = openSync(paths.daemonLog, size > MAX_DAEMON_LOG_BYTES ? 'w' : 'a', 0o600)
  const daemon = spawn(process.execPath, [DAEMON_PATH, home, JSON.stringify(options)], {
    cwd: paths.root,
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    windowsHide: true,
  })
  closeSync(log)
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

function unreachable(paths: NativePaths, reason: string) {
  return new ProcessManagerError(
    'DAEMON_UNREACHABLE',
    `The daemon did not start: ${reason}. ${paths.daemonLog} says more.`,
    { details: { log: paths.daemonLog, reason } },
  )
}
