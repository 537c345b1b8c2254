import { ExecutorError } from '../../errors.js'
import { clipText } from '../../result/clip-text.js'
import { NEXUS, NEXUS_SIGNATURES, PREVIEW1, PREVIEW1_SIGNATURES } from '../preview1/signatures.js'
import { flagRefusedGrowth } from './growth-flag.js'
import { importMemory } from './import-memory.js'
import { type Limits, type ModuleLayout, readModuleLayout } from './module-layout.js'

/** What a table entry is taken to cost when a module is held against its memory limit. */
export const TABLE_ENTRY_BYTES = 16
export const PAGE_BYTES = 64 * 1024

/** What the binary of a command needs in order to run. */
export interface CommandLayout {
  /** The binary, rewritten to import its memory and to tell when that was refused to grow. */
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly initialPages: number
  /** As the module declares it; its memory limit may be lower. */
  readonly maximumPages: number | undefined
  /** What its tables take, in bytes. */
  readonly tableBytes: number
  /** Whether it imports functions that take a path. */
  readonly usesFiles: boolean
}

/**
 * Checks that a binary is a WASI preview 1 command and rewrites it to import its memory.
 *
 * @throws {@link ExecutorError} `COMPILATION_ERROR` when it is not WebAssembly, `INVALID_HANDLER` when it
 *   is something other than a command
 */
export function layOutCommand(bytes: Uint8Array, filename: string): CommandLayout {
  assertModule(bytes, filename)
  let layout: ModuleLayout
  try {
    layout = readModuleLayout(bytes)
  } catch (cause) {
    if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) {
      throw broken(filename, (cause as Error).message)
    }
    throw invalid(filename, `it uses ${(cause as Error).message}, which is not supported`)
  }
  const wrong = whatIsWrong(layout)
  if (wrong !== undefined) throw invalid(filename, wrong)
  const { initial, maximum } = layout.memories[0]!
  return {
    wasm: rewritten(bytes, layout),
    initialPages: initial,
    maximumPages: maximum,
    tableBytes: layout.tables.reduce((sum, table) => sum + table.initial * TABLE_ENTRY_BYTES, 0),
    usesFiles: layout.imports.some(({ name }) => name.startsWith('path_')),
  }
}

function rewritten(bytes: Uint8Array, layout: ModuleLayout): Uint8Array<ArrayBuffer> {
  const flagging = flagRefusedGrowth(bytes, layout)
  return flagging ? importMemory(flagging, readModuleLayout(flagging)) : importMemory(bytes, layout)
}

function assertModule(bytes: Uint8Array, filename: string): void {
  const [nul, a, s, m, version, _, layer] = bytes
  if (nul !== 0 || a !== 0x61 || s !== 0x73 || m !== 0x6d) {
    throw broken(filename, `expected \\0asm, got ${bytes.length} bytes of something else`)
  }
  if (layer === 1) {
    throw invalid(
      filename,
      'it is a component (WASI preview 2); build it for preview 1, such as wasm32-wasip1',
    )
  }
  if (version !== 1) {
    throw broken(filename, `expected version 1 of the format, got ${version}`)
  }
}

function whatIsWrong(layout: ModuleLayout): string | undefined {
  const { imports, memories, exportedFunctions, exportsMemory, hasTags, tables } = layout
  for (const imported of imports) {
    const wrong = whatIsWrongWithImport(imported)
    if (wrong !== undefined) return wrong
  }
  const start = exportedFunctions.get('_start')
  if (start === undefined) {
    return exportedFunctions.has('_initialize')
      ? 'it is a WASI reactor (_initialize), expected a command that exports _start'
      : 'it exports no function _start; build it as a WASI command, with a main function'
  }
  if (start !== '() -> nothing') return `its _start is ${start}, expected () -> nothing`
  if (memories.length !== 1) return `it has ${memories.length} memories, expected one of its own`
  if (!exportsMemory) return 'it does not export its memory as "memory", which WASI demands'
  if (!isPlain(memories[0]!)) return 'its memory is shared or 64-bit, which is not supported'
  if (!tables.every(isPlain)) return 'it has a 64-bit table, which is not supported'
  if (hasTags) return 'it uses WebAssembly exceptions, which are not supported'
  return undefined
}

/** A name of an import may be 100,000 bytes long. */
const MAX_SHOWN_NAME = 100

function whatIsWrongWithImport(imported: ModuleLayout['imports'][number]): string | undefined {
  const { kind, signature } = imported
  const [module, name] = [imported.module, imported.name].map((text) =>
    clipText(text, MAX_SHOWN_NAME),
  ) as [string, string]
  const known = importable(module)
  if (!known) {
    const hint =
      module === 'wasi_unstable' ? '; that is preview 0, build it with a newer toolchain' : ''
    return `it imports ${module}.${name}, expected imports of ${PREVIEW1} and ${NEXUS} only${hint}`
  }
  if (kind !== 'function') return `it imports the ${kind} ${module}.${name}, expected a function`
  const expected = Object.hasOwn(known, name) ? known[name] : undefined
  if (expected === undefined) return `it imports ${module}.${name}, which does not exist`
  if (signature !== expected) {
    return `it imports ${module}.${name} as ${signature}, expected ${expected}`
  }
  return undefined
}

function importable(module: string): Readonly<Record<string, string>> | undefined {
  if (module === PREVIEW1) return PREVIEW1_SIGNATURES
  return module === NEXUS ? NEXUS_SIGNATURES : undefined
}

function isPlain({ flags }: Limits): boolean {
  return (flags & ~1) === 0
}

function invalid(filename: string, what: string): ExecutorError {
  return new ExecutorError('INVALID_HANDLER', `${filename} is not a function of Nexus: ${what}`)
}

function broken(filename: string, what: string): ExecutorError {
  return new ExecutorError('COMPILATION_ERROR', `${filename} is not a WebAssembly module: ${what}`)
}
