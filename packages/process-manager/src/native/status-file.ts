import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import type { ServiceStatus } from '../service/service.js'
import type { NativePaths } from './paths.js'

/**
 * What the daemon tells every reader, in `status.json`: replaced as a whole at every change of a state, and while
 * something runs every {@link MEASURE_INTERVAL_MS}, or every {@link UNREAD_INTERVAL_MS} when nobody asks for it.
 */
export interface StatusFile {
  version: 1
  daemon: {
    pid: number
    /** See `processIdentity`; tells the daemon from a later process of its pid. */
    identity: string | null
    startedAt: number
  }
  /** Milliseconds since the epoch. */
  writtenAt: number
  services: ServiceStatus[]
  /** What the daemon could not do, such as write to a full disk. */
  warnings: string[]
}

export const MEASURE_INTERVAL_MS = 1_000
export const UNREAD_INTERVAL_MS = 5_000
/** So long after a reader asked for them, figures are kept fresh. */
export const WANTED_FOR_MS = 30_000

/** Twice what the daemon promises: one that is late by more does not run. */
const STALE_AFTER_MS = 2 * UNREAD_INTERVAL_MS

/** What the daemon wrote last; null where it never wrote, or something else did. */
export function readStatusFile(paths: Pick<NativePaths, 'status'>): StatusFile | null {
  try {
    const file: StatusFile = JSON.parse(readFileSync(paths.status, 'utf8'))
    return file.version === 1 && Array.isArray(file.services) ? file : null
  } catch {
    return null
  }
}

/**
 * What the daemon wrote last, when that still holds: it lives, and writes as often as it promises. Asks for fresher
 * figures when these are old.
 */
export function readFreshStatus(paths: NativePaths, now: number): StatusFile | null {
  const file = readStatusFile(paths)
  if (file === null || !isAlive(file.daemon.pid)) return null
  const age = now - file.writtenAt
  const runs = file.services.some(({ instances }) => instances.some(({ pid }) => pid !== null))
  if (!runs) return file
  if (age > 1.5 * MEASURE_INTERVAL_MS) askForFigures(paths, now)
  return age <= STALE_AFTER_MS ? file : null
}

/** Whether some process of this user has the pid; one of another user is not the daemon. */
function isAlive(pid: number) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function askForFigures(paths: NativePaths, now: number) {
  try {
    utimesSync(paths.statusWanted, now / 1000, now / 1000)
  } catch {
    try {
      writeFileSync(paths.statusWanted, '', { mode: 0o600 })
    } catch {
      // The figures stay as old as they are.
    }
  }
}
