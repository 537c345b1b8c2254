import { readFileSync, renameSync } from 'node:fs'
import { uptime } from 'node:os'
import { ProcessManagerError } from '../../../errors.js'
import type { ResolvedDefinition } from '../../../service/service-defaults.js'
import { writeAtomically } from '../../write-atomically.js'
import type { InstanceRecord } from '../instance/instance.js'

/** A service as it is written down. */
export interface ServiceRecord {
  definition: ResolvedDefinition
  /** Whether it was last started rather than stopped. */
  wanted: boolean
  /** By index; null where no process ran. */
  instances: readonly (InstanceRecord | null)[]
}

interface StateFile {
  version: 1
  writtenAt: number
  services: readonly ServiceRecord[]
}

/** Everything the daemon must know again after it died, in `state.json`; and what `save` keeps, in `saved.json`. */
export function writeState(
  path: string,
  services: readonly ServiceRecord[],
  options?: { sync: boolean },
): void {
  const state: StateFile = { version: 1, writtenAt: Date.now(), services }
  writeAtomically(path, JSON.stringify(state), options)
}

/**
 * What was written last.
 *
 * @throws ProcessManagerError `STATE_UNREADABLE`, after the file was put aside
 */
export function readState(path: string): {
  services: readonly ServiceRecord[]
  /** Whether the machine was started since. */
  rebooted: boolean
} {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { services: [], rebooted: false }
    throw unreadable(path, error)
  }
  try {
    const state: StateFile = JSON.parse(text)
    if (state.version !== 1 || !Array.isArray(state.services)) throw new Error('unknown version')
    return { services: state.services, rebooted: state.writtenAt < Date.now() - uptime() * 1_000 }
  } catch (error) {
    const aside = `${path}.unreadable`
    renameSync(path, aside)
    throw unreadable(aside, error)
  }
}

function unreadable(path: string, cause: unknown) {
  return new ProcessManagerError(
    'STATE_UNREADABLE',
    `Expected what the daemon wrote in ${path}, which cannot be read: ${(cause as Error).message}. Look at that file, and start your services again.`,
    { details: { path }, cause },
  )
}
