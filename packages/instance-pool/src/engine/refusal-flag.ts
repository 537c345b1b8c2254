import { section, unsigned, WasmReader } from './wasm-binary.js'

/** The exported global that is 1 once the engine has refused an allocation. */
export const REFUSAL_FLAG = 'nexus:allocation-refused'

/** What the engine calls when its memory limit, or the end of memory, refuses an allocation. */
const REFUSING_FUNCTION = 'JS_ThrowOutOfMemory'

const SECTION = { import: 2, global: 6, export: 7, code: 10 }
const KIND = { function: 0, table: 1, memory: 2, global: 3 }
const I32 = 0x7f
const HEADER_BYTES = 8

/**
 * Rewrites the engine's program so that it remembers that an allocation was refused: the engine tells its guest by an
 * exception, which the guest may catch, and which is missing where the engine's own promise code runs out of memory.
 * What is added comes last, so that no index changes.
 *
 * @returns undefined for a build without the function that throws
 */
export function flagRefusals(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const reader = new WasmReader(bytes, HEADER_BYTES)
  const sections: { id: number; content: Uint8Array }[] = []
  while (reader.at < bytes.length) {
    const id = reader.byte()
    sections.push({ id, content: reader.take(reader.unsigned()) })
  }
  const contentOf = (id: number) => sections.find((one) => one.id === id)?.content
  const [globals, exports, code] = [SECTION.global, SECTION.export, SECTION.code].map(contentOf)
  if (!globals || !exports || !code) return undefined
  const imports = countImports(contentOf(SECTION.import))
  const index = functionNamed(exports, REFUSING_FUNCTION)
  if (index === undefined || index < imports.functions) return undefined
  const flag = unsigned(imports.globals + new WasmReader(globals).unsigned())
  const name = Buffer.from(REFUSAL_FLAG)
  const added = new Map([
    [SECTION.global, appended(globals, [I32, 1, 0x41, 0, 0x0b])],
    [SECTION.export, appended(exports, [...unsigned(name.length), ...name, KIND.global, ...flag])],
    // i32.const 1, global.set
    [SECTION.code, beginning(code, index - imports.functions, [0x41, 1, 0x24, ...flag])],
  ])
  const parts = sections.map(({ id, content }) => section(id, [added.get(id) ?? content]))
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, HEADER_BYTES), ...parts]))
}

/** A list with one entry more. */
function appended(content: Uint8Array, entry: readonly number[]): Uint8Array {
  const reader = new WasmReader(content)
  const count = reader.unsigned()
  const rest = content.subarray(reader.at)
  return Buffer.concat([Uint8Array.from(unsigned(count + 1)), rest, Uint8Array.from(entry)])
}

/** The code of all functions, with instructions at the beginning of one. */
function beginning(code: Uint8Array, index: number, instructions: readonly number[]): Uint8Array {
  const reader = new WasmReader(code)
  reader.unsigned()
  for (let i = 0; i < index; i++) reader.take(reader.unsigned())
  const start = reader.at
  const body = reader.take(reader.unsigned())
  const locals = new WasmReader(body)
  for (let left = locals.unsigned(); left > 0; left--) {
    locals.unsigned()
    locals.byte()
  }
  const size = unsigned(body.length + instructions.length)
  return Buffer.concat([
    code.subarray(0, start),
    Uint8Array.from(size),
    body.subarray(0, locals.at),
    Uint8Array.from(instructions),
    body.subarray(locals.at),
    code.subarray(reader.at),
  ])
}

function functionNamed(exports: Uint8Array, wanted: string): number | undefined {
  const reader = new WasmReader(exports)
  for (let left = reader.unsigned(); left > 0; left--) {
    const name = reader.name()
    const kind = reader.byte()
    const index = reader.unsigned()
    if (kind === KIND.function && name === wanted) return index
  }
  return undefined
}

function countImports(content: Uint8Array | undefined): { functions: number; globals: number } {
  const count = { functions: 0, globals: 0 }
  if (!content) return count
  const reader = new WasmReader(content)
  for (let left = reader.unsigned(); left > 0; left--) {
    reader.name()
    reader.name()
    const kind = reader.byte()
    if (kind === KIND.function) {
      count.functions++
      reader.unsigned()
    } else if (kind === KIND.global) {
      count.globals++
      reader.take(2)
    } else {
      if (kind === KIND.table) reader.byte()
      const hasMaximum = (reader.byte() & 1) === 1
      reader.unsigned()
      if (hasMaximum) reader.unsigned()
    }
  }
  return count
}
