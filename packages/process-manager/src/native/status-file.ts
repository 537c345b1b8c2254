import { utimesSync, writeFileSync } from 'node:fs'
import type { ServiceStatus } from '../service/service.js'
import { serviceNamePattern } from '../service/service-name.js'
import { isPrivateHome } from './files/private-home.js'
import { readRegularFile } from './files/regular-file.js'
import type { NativePaths } from './paths.js'

/**
 * What the daemon tells every reader, in `status.json`: replaced as a whole at every change of a state, and while
 * something runs every {@link MEASURE_INTERVAL_MS}, or every {@link UNREAD_INTERVAL_MS} when it is not read.
 */
export interface StatusFile {
  /** Version of the file's format. */
  version: 1
  /** The daemon that wrote it. */
  daemon: {
    pid: number
    /** See `processIdentity`; tells the daemon from a later process of its pid. */
    identity: string | null
    startedAt: number
  }
  /** Milliseconds since the epoch. */
  writtenAt: number
  /** Every service as it was then. */
  services: ServiceStatus[]
  /** What the daemon could not do, such as write to a full disk. */
  warnings: string[]
}

export const MEASURE_INTERVAL_MS = 1_000
export const UNREAD_INTERVAL_MS = 5_000
/** How long figures are kept fresh after a reader asked for them. */
export const WANTED_FOR_MS = 30_000

/** Twice what the daemon promises: one that is late by more does not run. */
const STALE_AFTER_MS = 2 * UNREAD_INTERVAL_MS

/** What the daemon wrote last; null where it never wrote, or something else did. */
export function readStatusFile(paths: Pick<NativePaths, 'status'>): StatusFile | null {
  try {
    const file: unknown = JSON.parse(readRegularFile(paths.status))
    return isStatusFile(file) ? file : null
  } catch {
    return null
  }
}

/** Checked by hand: a command that reads the status loads nothing else. */
function isStatusFile(value: unknown): value is StatusFile {
  const file = value as StatusFile
  return (
    isObject(value) &&
    file.version === 1 &&
    isObject(file.daemon) &&
    isPid(file.daemon.pid) &&
    Number.isFinite(file.writtenAt) &&
    Array.isArray(file.services) &&
    file.services.every(isService) &&
    Array.isArray(file.warnings) &&
    file.warnings.every((warning) => typeof warning === 'string')
  )
}

function isService(value: unknown): boolean {
  if (!isObject(value)) return false
  const { name, script, port, state, instances } = value as ServiceStatus
  return (
    isObject(value) &&
    typeof name === 'string' &&
    serviceNamePattern.test(name) &&
    typeof script === 'string' &&
    (port === null || Number.isInteger(port)) &&
    typeof state === 'string' &&
    Array.isArray(instances) &&
    instances.every(isInstance)
  )
}

function isInstance(value: unknown): boolean {
  const one = value as ServiceStatus['instances'][number]
  return (
    isObject(value) &&
    typeof one.state === 'string' &&
    (one.pid === null || isPid(one.pid)) &&
    (one.startedAt === null || Number.isFinite(one.startedAt)) &&
    (one.reason === null || typeof one.reason === 'string') &&
    [one.index, one.restarts, one.cpuPercent, one.memoryBytes].every(Number.isFinite)
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** 0 and below stand for groups of processes. */
function isPid(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 1
}

/**
 * What the daemon wrote last, when that still holds: it lives, and writes as often as it promises. Asks for fresher
 * figures when these are old.
 */
export function readFreshStatus(paths: NativePaths, now: number): StatusFile | null {
  // What others can write is not what the daemon wrote.
  const file = isPrivateHome(paths) ? readStatusFile(paths) : null
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
