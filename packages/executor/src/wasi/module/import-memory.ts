import { NEXUS } from '../preview1/signatures.js'
import { BinaryReader, encodeInteger, encodeName } from './binary-reader.js'
import { type Limits, type ModuleLayout, type Section, SectionId } from './module-layout.js'

/** The import by which a rewritten module gets its memory. */
export const MEMORY_IMPORT = { module: NEXUS, name: 'memory' } as const

const KIND_MEMORY = 2

/**
 * Rewrites a module that defines its memory into one that imports it, and whose tables keep their size.
 *
 * The host provides the memory then, and decides how far it may grow, and the engine enforces it; and one
 * memory can serve many instances. No index changes: memories are numbered on their own.
 */
export function importMemory(bytes: Uint8Array, layout: ModuleLayout): Uint8Array<ArrayBuffer> {
  const rewritten: Uint8Array[] = [bytes.subarray(0, 8)]
  let pending = true
  for (const section of layout.sections) {
    if (pending && section.id > SectionId.Type) {
      rewritten.push(importsWithMemory(bytes, layout))
      pending = false
    }
    if (section.id === SectionId.Table) rewritten.push(tablesOfFixedSize(layout))
    else if (section.id !== SectionId.Import && section.id !== SectionId.Memory) {
      rewritten.push(bytes.subarray(section.start, section.end))
    }
  }
  return new Uint8Array(Buffer.concat(rewritten))
}

function importsWithMemory(bytes: Uint8Array, { sections, imports, memories }: ModuleLayout) {
  const section = sections.find(({ id }) => id === SectionId.Import)
  return encodeSection(SectionId.Import, [
    ...encodeInteger(imports.length + 1),
    ...(section ? entriesOf(bytes, section) : []),
    ...encodeName(MEMORY_IMPORT.module),
    ...encodeName(MEMORY_IMPORT.name),
    KIND_MEMORY,
    ...encodeLimits(memories[0]!),
  ])
}

/** What follows the count of a section. */
function entriesOf(bytes: Uint8Array, { contentStart, end }: Section): Uint8Array {
  const reader = new BinaryReader(bytes, contentStart, end)
  reader.integer()
  return bytes.subarray(reader.position, end)
}

/** A table that may grow would be memory that no limit bounds. */
function tablesOfFixedSize({ tables }: ModuleLayout): Uint8Array {
  const entries = tables.flatMap(({ elementType, initial }) => [
    elementType,
    ...encodeLimits({ initial, maximum: initial }),
  ])
  return encodeSection(SectionId.Table, [...encodeInteger(tables.length), ...entries])
}

function encodeSection(id: number, content: readonly number[]): Uint8Array {
  return Uint8Array.from([id, ...encodeInteger(content.length), ...content])
}

function encodeLimits({ initial, maximum }: Pick<Limits, 'initial' | 'maximum'>): number[] {
  return maximum === undefined
    ? [0, ...encodeInteger(initial)]
    : [1, ...encodeInteger(initial), ...encodeInteger(maximum)]
}
