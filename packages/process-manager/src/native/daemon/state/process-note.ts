import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { processIdentity } from '../../../process-identity.js'
import { parseDefinition } from '../../../service/definition-schema.js'
import { readRegularFile } from '../../files/regular-file.js'
import { type InstanceRecord, instanceRecordSchema } from './instance-record.js'

/** Which process it is that prints into a directory. The next daemon goes by it where the state does not know the process. */
export interface ProcessNote {
  service: string
  script: string
  port: number | null
  index: number
  process: InstanceRecord & { output: string }
}

const FILE = 'process.json'

const schema = z.object({
  service: z.string(),
  script: z.string(),
  port: z.nullable(z.number()),
  index: z.number().int().min(0),
  process: instanceRecordSchema,
})

/** @param outputs the directory that holds one for each process */
export function writeProcessNote(outputs: string, note: ProcessNote): void {
  writeFileSync(join(outputs, note.process.output, FILE), JSON.stringify(note), { mode: 0o600 })
}

/** The processes that run and print into none of the directories that are `known`. */
export function findUnknown(outputs: string, known: ReadonlySet<string>): ProcessNote[] {
  return namesIn(outputs)
    .filter((name) => !known.has(name))
    .flatMap((name) => readNote(outputs, name) ?? [])
    .filter(({ process: { pid, identity } }) => processIdentity(pid) === identity)
}

/** Null for what no daemon has written. */
function readNote(outputs: string, name: string): ProcessNote | null {
  try {
    const note = schema.parse(JSON.parse(readRegularFile(join(outputs, name, FILE))))
    // Refuses what no service can have.
    parseDefinition({ name: note.service, script: note.script, port: note.port ?? undefined })
    const { output } = note.process
    return output === name ? { ...note, process: { ...note.process, output } } : null
  } catch {
    return null
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
