import { BinaryReader, encodeInteger, encodeName } from './binary-reader.js'
import { growthsIn } from './instruction-walk.js'
import { type ModuleLayout, type Section, SectionId } from './module-layout.js'

/** The exported global that is 1 while the last `memory.grow` was refused. */
export const GROWTH_FLAG = 'nexus:growth-refused'

/** Going through more code than this would take a noticeable time. */
const MAX_CODE_BYTES = 32 * 1024 * 1024
const I32 = 0x7f
/** `memory.grow` of the one memory. */
const GROW = Buffer.of(0x40, 0)
const KIND_GLOBAL = 3

/**
 * Rewrites a module so that it remembers whether its last `memory.grow` was refused: a command that then fails has
 * run out of memory. Each `memory.grow` becomes a call of a function that does it and keeps the answer in a global.
 * What is added comes last, so that no index changes.
 *
 * @returns undefined for a module without `memory.grow`, or with instructions that are not known here
 */
export function flagRefusedGrowth(
  bytes: Uint8Array,
  layout: ModuleLayout,
): Uint8Array<ArrayBuffer> | undefined {
  const find = (id: number) => layout.sections.find((section) => section.id === id)
  const code = find(SectionId.Code)
  if (!code || code.end - code.start > MAX_CODE_BYTES) return undefined
  const functionIndex =
    layout.imports.filter(({ kind }) => kind === 'function').length +
    countOf(bytes, find(SectionId.Function))
  const globalIndex = countOf(bytes, find(SectionId.Global))
  const typeIndex = countOf(bytes, find(SectionId.Type))
  const bodies = bodiesCalling(bytes, code, functionIndex)
  if (!bodies) return undefined

  const name = [...encodeName(GROWTH_FLAG), KIND_GLOBAL, ...encodeInteger(globalIndex)]
  const added = new Map<number, Uint8Array>([
    [SectionId.Type, Uint8Array.of(0x60, 1, I32, 1, I32)],
    [SectionId.Function, Uint8Array.from(encodeInteger(typeIndex))],
    // Mutable, and 0 at the start.
    [SectionId.Global, Uint8Array.of(I32, 1, 0x41, 0, 0x0b)],
    [SectionId.Export, Uint8Array.from(name)],
  ])
  const parts: Uint8Array[] = [bytes.subarray(0, 8)]
  for (const section of layout.sections) {
    // A module may have no globals of its own.
    if (globalIndex === 0 && section.id === SectionId.Export) {
      parts.push(sectionOf(SectionId.Global, 1, [added.get(SectionId.Global)!]))
    }
    const entry = added.get(section.id)
    if (section.id === SectionId.Code) {
      bodies.push(growFunction(globalIndex))
      parts.push(sectionOf(SectionId.Code, bodies.length, bodies.map(sized)))
    } else if (entry) {
      const { count, rest } = entriesOf(bytes, section)
      parts.push(sectionOf(section.id, count + 1, [rest, entry]))
    } else {
      parts.push(bytes.subarray(section.start, section.end))
    }
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** Every body, with calls in place of `memory.grow`; undefined when there is none, or code that is not known. */
function bodiesCalling(bytes: Uint8Array, code: Section, index: number): Uint8Array[] | undefined {
  const call = Uint8Array.of(0x10, ...encodeInteger(index))
  const reader = new BinaryReader(bytes, code.contentStart, code.end)
  let found = 0
  try {
    const bodies = reader.vector(() => {
      const length = reader.integer()
      const start = reader.position
      reader.skip(length)
      // Most bodies have these bytes nowhere, and finding that out is much faster than reading them.
      if (!Buffer.from(bytes.buffer, bytes.byteOffset + start, length).includes(GROW)) {
        return bytes.subarray(start, start + length)
      }
      const growths = growthsIn(new BinaryReader(bytes, start, start + length))
      found += growths.length
      return withCalls(bytes, start, start + length, growths, call)
    })
    return found === 0 ? undefined : bodies
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function withCalls(
  bytes: Uint8Array,
  start: number,
  end: number,
  growths: readonly number[],
  call: Uint8Array,
): Uint8Array {
  if (growths.length === 0) return bytes.subarray(start, end)
  const parts: Uint8Array[] = []
  let from = start
  for (const at of growths) {
    parts.push(bytes.subarray(from, at), call)
    from = at + GROW.length
  }
  return Buffer.concat([...parts, bytes.subarray(from, end)])
}

/** `(func (param i32) (result i32) (local i32))`: grows, keeps whether that was refused, and answers. */
function growFunction(globalIndex: number): Uint8Array {
  return Uint8Array.of(
    ...[1, 1, I32],
    ...[0x20, 0], // local.get 0
    ...GROW,
    ...[0x22, 1], // local.tee 1
    ...[0x41, 0x7f], // i32.const -1
    0x46, // i32.eq
    ...[0x24, ...encodeInteger(globalIndex)], // global.set
    ...[0x20, 1], // local.get 1
    0x0b, // end
  )
}

function countOf(bytes: Uint8Array, section: Section | undefined): number {
  return section ? entriesOf(bytes, section).count : 0
}

function entriesOf(bytes: Uint8Array, { contentStart, end }: Section) {
  const reader = new BinaryReader(bytes, contentStart, end)
  const count = reader.integer()
  return { count, rest: bytes.subarray(reader.position, end) }
}

function sectionOf(id: number, count: number, entries: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat([Uint8Array.from(encodeInteger(count)), ...entries])
  return Buffer.concat([Uint8Array.of(id, ...encodeInteger(content.length)), content])
}

function sized(body: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from(encodeInteger(body.length)), body])
}
