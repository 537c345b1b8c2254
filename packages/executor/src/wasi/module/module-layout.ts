import { BinaryReader } from './binary-reader.js'

/** The number of each section that a module may have. */
export const SectionId = {
  Custom: 0,
  Type: 1,
  Import: 2,
  Function: 3,
  Table: 4,
  Memory: 5,
  Global: 6,
  Export: 7,
  Code: 10,
  Tag: 13,
} as const

const KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const
type Kind = (typeof KINDS)[number]

/** The letters of a signature such as `(i32, i64) -> i32`. */
const VALUE_TYPES: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
  112: 'funcref',
  111: 'externref',
}
const FUNCTION_TYPE = 0x60

export interface Section {
  readonly id: number
  /** With the byte of the id and the length. */
  readonly start: number
  readonly contentStart: number
  readonly end: number
}

/** Sizes in entries of a table, in pages of 64 KiB of a memory. */
export interface Limits {
  /** Bit 0: has a maximum; 1: shared; 2: 64-bit. */
  readonly flags: number
  readonly initial: number
  readonly maximum: number | undefined
}

export interface Table extends Limits {
  readonly elementType: number
}

export interface ModuleImport {
  readonly module: string
  readonly name: string
  readonly kind: Kind
  /** Of a function, such as `(i32) -> i32`. */
  readonly signature: string | undefined
}

/** What of a module's binary tells whether and how it can run. */
export interface ModuleLayout {
  readonly sections: readonly Section[]
  readonly imports: readonly ModuleImport[]
  readonly memories: readonly Limits[]
  readonly tables: readonly Table[]
  /** The signature of each exported function. */
  readonly exportedFunctions: ReadonlyMap<string, string>
  readonly exportsMemory: boolean
  readonly hasTags: boolean
}

/**
 * Reads the layout of a module that the engine has found valid.
 *
 * @throws RangeError on types that this reader does not know: garbage-collected and other later proposals
 */
export function readModuleLayout(bytes: Uint8Array): ModuleLayout {
  const sections = readSections(bytes)
  const open = (id: number): BinaryReader | undefined => {
    const section = sections.find((candidate) => candidate.id === id)
    return section && new BinaryReader(bytes, section.contentStart, section.end)
  }
  const types = readVector(open(SectionId.Type), readSignature)
  const imports = readVector(open(SectionId.Import), (reader) => readImport(reader, types))
  const functions = [
    ...imports.flatMap(({ signature }) => (signature === undefined ? [] : [signature])),
    ...readVector(open(SectionId.Function), (reader) => types[reader.integer()] ?? 'unknown'),
  ]
  const exportedFunctions = new Map<string, string>()
  let exportsMemory = false
  readVector(open(SectionId.Export), (reader) => {
    const name = reader.name()
    const kind = KINDS[reader.byte()]
    const index = reader.integer()
    if (kind === 'function') exportedFunctions.set(name, functions[index] ?? 'unknown')
    if (kind === 'memory' && name === 'memory') exportsMemory = true
  })
  return {
    sections,
    imports,
    memories: readVector(open(SectionId.Memory), readLimits),
    tables: readVector(open(SectionId.Table), readTable),
    exportedFunctions,
    exportsMemory,
    hasTags: open(SectionId.Tag) !== undefined,
  }
}

function readSections(bytes: Uint8Array): Section[] {
  const sections: Section[] = []
  const reader = new BinaryReader(bytes, 8)
  while (!reader.done) {
    const start = reader.position
    const id = reader.byte()
    if (id !== SectionId.Custom && sections.some((section) => section.id === id)) {
      throw new RangeError(`a second section ${id}`)
    }
    const length = reader.integer()
    const contentStart = reader.position
    reader.skip(length)
    sections.push({ id, start, contentStart, end: reader.position })
  }
  return sections
}

function readVector<Item>(
  reader: BinaryReader | undefined,
  read: (reader: BinaryReader) => Item,
): Item[] {
  return reader ? reader.vector(() => read(reader)) : []
}

function readSignature(reader: BinaryReader): string {
  const form = reader.byte()
  if (form !== FUNCTION_TYPE) throw new RangeError(`a type of the form 0x${form.toString(16)}`)
  const parameters = reader.vector(() => readValueType(reader))
  const results = reader.vector(() => readValueType(reader))
  return `(${listOf(parameters)}) -> ${listOf(results) || 'nothing'}`
}

/** No function of WASI has more: longer lists are not told apart. */
const MAX_LISTED = 16

function listOf(types: readonly string[]): string {
  return types.length > MAX_LISTED ? `${types.length} values` : types.join(', ')
}

function readValueType(reader: BinaryReader): string {
  const code = reader.byte()
  const name = VALUE_TYPES[code]
  if (name === undefined) throw new RangeError(`a value of the type 0x${code.toString(16)}`)
  return name
}

function readImport(reader: BinaryReader, types: readonly string[]): ModuleImport {
  const module = reader.name()
  const name = reader.name()
  const kind = KINDS[reader.byte()]
  if (kind === undefined) throw new RangeError(`an import of an unknown kind: ${module}.${name}`)
  let signature: string | undefined
  if (kind === 'function') signature = types[reader.integer()] ?? 'unknown'
  else if (kind === 'memory') readLimits(reader)
  else if (kind === 'table') readTable(reader)
  else reader.skip(2)
  return { module, name, kind, signature }
}

function readTable(reader: BinaryReader): Table {
  const elementType = reader.byte()
  if (!(elementType in VALUE_TYPES)) {
    throw new RangeError(`a table of the type 0x${elementType.toString(16)}`)
  }
  return { elementType, ...readLimits(reader) }
}

function readLimits(reader: BinaryReader): Limits {
  const flags = reader.byte()
  const initial = reader.integer()
  return { flags, initial, maximum: flags & 1 ? reader.integer() : undefined }
}
