import { section, unsigned, WasmReader } from './wasm-binary.js'

const DATA_COUNT = 12
const DATA = 11
const GLOBAL_GET = 0x23
const I32_CONST = 0x41
const I32_ADD = 0x6a
const END = 0x0b

/**
 * Joins the data segments of a WebAssembly shared library into one.
 *
 * Their places are `__memory_base + constant`, an expression that V8 takes only since Node 22. One
 * segment that starts at `__memory_base` itself says the same, and is valid everywhere.
 */
export function joinDataSegments(library: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [library.subarray(0, 8)]
  const reader = new WasmReader(library, 8)
  while (reader.at < library.length) {
    const start = reader.at
    const id = reader.byte()
    const length = reader.unsigned()
    const end = reader.at + length
    if (id === DATA) parts.push(section(DATA, joined(readSegments(reader))))
    else if (id === DATA_COUNT) parts.push(section(DATA_COUNT, [Uint8Array.of(1)]))
    else parts.push(library.subarray(start, end))
    reader.at = end
  }
  return Buffer.concat(parts)
}

interface DataSegment {
  /** The index of the global that holds `__memory_base`. */
  base: number
  /** Bytes after that base. */
  offset: number
  bytes: Uint8Array
}

/** The data segments of a shared library, in their order. */
export function dataSegments(library: Uint8Array): DataSegment[] {
  const reader = new WasmReader(library, 8)
  while (reader.at < library.length) {
    const id = reader.byte()
    const length = reader.unsigned()
    if (id === DATA) return readSegments(reader)
    reader.at += length
  }
  return []
}

function readSegments(reader: WasmReader): DataSegment[] {
  return Array.from({ length: reader.unsigned() }, (_, i) => {
    const flags = reader.unsigned()
    const get = reader.byte()
    const global = reader.unsigned()
    let operation = reader.byte()
    let offset = 0
    if (operation === I32_CONST) {
      // Never negative, and so the same as unsigned but for a sign bit that is 0.
      offset = reader.unsigned()
      if (reader.byte() !== I32_ADD) throw unexpected(i)
      operation = reader.byte()
    }
    if (flags !== 0 || get !== GLOBAL_GET || operation !== END) throw unexpected(i)
    const length = reader.unsigned()
    return { base: global, offset, bytes: reader.take(length) }
  })
}

function joined(segments: readonly DataSegment[]): Uint8Array[] {
  const { base } = segments[0]!
  const data = new Uint8Array(Math.max(...segments.map((s) => s.offset + s.bytes.length)))
  for (const segment of segments) {
    if (segment.base !== base) throw new TypeError('The data segments have two bases')
    data.set(segment.bytes, segment.offset)
  }
  const head = [1, 0, GLOBAL_GET, ...unsigned(base), END, ...unsigned(data.length)]
  return [Uint8Array.from(head), data]
}

function unexpected(segment: number): TypeError {
  return new TypeError(
    `Data segment ${segment} is not placed at a base plus a constant: this is not a shared library of wasi-sdk`,
  )
}
