import { readFileSync, renameSync } from 'node:fs'
import { uptime } from 'node:os'
import { z } from 'zod'
import { ProcessManagerError } from '../../../errors.js'
import { bootId } from '../../../process-identity.js'
import { parseDefinition } from '../../../service/definition-schema.js'
import { type ResolvedDefinition, withDefaults } from '../../../service/service-defaults.js'
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
  /** Null where the system does not name its starts. */
  bootId: string | null
  writtenAt: number
  services: readonly ServiceRecord[]
}

/** Everything the daemon must know again after it died, in `state.json`; and what `save` keeps, in `saved.json`. */
export function writeState(
  path: string,
  services: readonly ServiceRecord[],
  options?: { sync: boolean },
): void {
  const state: StateFile = { version: 1, bootId: bootId(), writtenAt: Date.now(), services }
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
    const state = stateSchema.parse(JSON.parse(text))
    const services = state.services.map((service) => ({
      ...service,
      definition: withDefaults(parseDefinition(asGiven(service.definition))),
    }))
    const names = new Set(services.map(({ definition }) => definition.name))
    if (names.size < services.length) throw new Error('it holds two services of one name')
    return { services, rebooted: rebootedSince(state) }
  } catch (error) {
    const aside = `${path}.unreadable`
    renameSync(path, aside)
    throw unreadable(aside, error)
  }
}

/** By the boot, for clocks jump; by the time where boots have no names. */
function rebootedSince(state: Pick<StateFile, 'bootId' | 'writtenAt'>): boolean {
  const now = bootId()
  if (state.bootId !== null && now !== null) return state.bootId !== now
  return state.writtenAt < Date.now() - uptime() * 1_000
}

/** The file may have been damaged, or written by something else: a pid of -1 or 0 would signal every process. */
const stateSchema = z.object({
  version: z.literal(1),
  bootId: z.nullable(z.string()),
  writtenAt: z.number(),
  services: z.array(
    z.object({
      definition: z.record(z.string(), z.unknown()),
      wanted: z.boolean(),
      instances: z.array(
        z.nullable(
          z.object({
            pid: z.number().int().min(2),
            identity: z.string().min(1).max(256),
            startedAt: z.number(),
            restarts: z.number().int().min(0),
          }),
        ),
      ),
    }),
  ),
})

/** A definition as `start` takes it: nulls stand for what was not given. */
export function asGiven(definition: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(definition).filter(([, value]) => value !== null))
}

function unreadable(path: string, cause: unknown) {
  return new ProcessManagerError(
    'STATE_UNREADABLE',
    `Expected what the daemon wrote in ${path}, which cannot be read: ${(cause as Error).message}. Look at that file, and start your services again.`,
    { details: { path }, cause },
  )
}
