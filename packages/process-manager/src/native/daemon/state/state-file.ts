import { lstatSync, renameSync } from 'node:fs'
import { uptime } from 'node:os'
import { z } from 'zod'
import { ProcessManagerError } from '../../../errors.js'
import { bootId } from '../../../process-identity.js'
import { parseDefinition } from '../../../service/definition-schema.js'
import { type ResolvedDefinition, withDefaults } from '../../../service/service-defaults.js'
import { readRegularFile } from '../../files/regular-file.js'
import { writeAtomically } from '../../files/write-atomically.js'
import { type InstanceRecord, instanceRecordSchema } from './instance-record.js'

/** A service as it is written down. */
export interface ServiceRecord {
  definition: ResolvedDefinition
  /** Whether it was last started rather than stopped. */
  wanted: boolean
  /** Whether only its processes are known, because the state could not be read: it cannot be started as it was. */
  definitionLost: boolean
  /** By index; null where no process ran. */
  instances: readonly (InstanceRecord | null)[]
  /** Processes that are to end: of an instance that was replaced, or was to replace one. */
  passing: readonly InstanceRecord[]
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
 * @throws ProcessManagerError `STATE_UNREADABLE`, after what lies there was put aside: nothing is written over it. Where that
 * cannot be done, the `details` say `inPlace: true`.
 */
export function readState(path: string): {
  services: readonly ServiceRecord[]
  /** Whether the machine was started since. */
  rebooted: boolean
} {
  try {
    const text = readRegularFile(path)
    const state = stateSchema.parse(JSON.parse(text))
    const services = state.services.map((service) => ({
      ...service,
      definition: withDefaults(parseDefinition(asGiven(service.definition))),
    }))
    const names = new Set(services.map(({ definition }) => definition.name))
    if (names.size < services.length) throw new Error('it holds two services of one name')
    return { services, rebooted: rebootedSince(state) }
  } catch (error) {
    // A link that leads nowhere is there: its disk may be away.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      return { services: [], rebooted: false }
    }
    throw putAside(path, error)
  }
}

/** The most files of one name that are put aside. */
const MAX_ASIDE = 100

/** Renames what could not be read, whatever it is, to a name that nothing else has. */
function putAside(path: string, cause: unknown): ProcessManagerError {
  for (let n = 1; n <= MAX_ASIDE; n++) {
    const aside = n === 1 ? `${path}.unreadable` : `${path}.unreadable.${n}`
    if (lstatSync(aside, { throwIfNoEntry: false }) !== undefined) continue
    try {
      renameSync(path, aside)
    } catch {
      break
    }
    return unreadable(aside, cause, { inPlace: false })
  }
  return unreadable(path, cause, { inPlace: true })
}

/** By the boot, for clocks jump; by the time where boots have no names. */
function rebootedSince(state: Pick<StateFile, 'bootId' | 'writtenAt'>): boolean {
  const now = bootId()
  if (state.bootId !== null && now !== null) return state.bootId !== now
  return state.writtenAt < Date.now() - uptime() * 1_000
}

const stateSchema = z.object({
  version: z.literal(1),
  bootId: z.nullable(z.string()),
  writtenAt: z.number(),
  services: z.array(
    z.object({
      definition: z.record(z.string(), z.unknown()),
      wanted: z.boolean(),
      definitionLost: z.boolean(),
      instances: z.array(z.nullable(instanceRecordSchema)),
      passing: z.array(instanceRecordSchema),
    }),
  ),
})

/** A definition as `start` takes it: nulls stand for what was not given. */
export function asGiven(definition: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(definition).filter(([, value]) => value !== null))
}

function unreadable(path: string, cause: unknown, { inPlace }: { inPlace: boolean }) {
  return new ProcessManagerError(
    'STATE_UNREADABLE',
    `Expected what the daemon wrote in ${path}, which cannot be read: ${(cause as Error).message}. Look at that file, and start your services again.`,
    { details: { path, inPlace }, cause },
  )
}
