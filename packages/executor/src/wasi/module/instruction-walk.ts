import type { BinaryReader } from './binary-reader.js'

const MEMORY_GROW = 0x40

/** How many integers follow the instructions that are followed by integers only. */
const INTEGERS: Readonly<Record<number, number>> = {
  ...{ 2: 1, 3: 1, 4: 1, 12: 1, 13: 1, 16: 1, 17: 2, 18: 1, 19: 2, 20: 1, 21: 1 },
  ...{ 32: 1, 33: 1, 34: 1, 35: 1, 36: 1, 37: 1, 38: 1, 63: 1, 64: 1, 65: 1, 66: 1 },
  ...{ 208: 1, 210: 1 },
}
/** The same after the prefix 0xfc: conversions, then bulk memory and tables. */
const BULK_INTEGERS = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1]
/** No instruction of SIMD, relaxed SIMD included, has a larger number. */
const LAST_SIMD = 0x113

/**
 * Goes through the body of a function (WebAssembly core specification, chapter 5.4).
 *
 * @param reader at the start of the body, its locals
 * @returns where each `memory.grow` begins
 * @throws RangeError on instructions that it does not know: exceptions, garbage collection, later proposals
 */
export function growthsIn(reader: BinaryReader): number[] {
  const growths: number[] = []
  reader.vector(() => skipIntegers(reader, 2))
  while (!reader.done) {
    const at = reader.position
    const opcode = reader.byte()
    if (opcode === MEMORY_GROW) growths.push(at)
    skipImmediates(reader, opcode)
  }
  return growths
}

function skipImmediates(reader: BinaryReader, opcode: number): void {
  const integers = INTEGERS[opcode]
  if (integers !== undefined) skipIntegers(reader, integers)
  else if (opcode >= 0x28 && opcode <= 0x3e) skipAddress(reader)
  else if (opcode === 0x43) reader.skip(4)
  else if (opcode === 0x44) reader.skip(8)
  else if (opcode === 0x0e) skipIntegers(reader, reader.integer() + 1)
  else if (opcode === 0x1c) skipIntegers(reader, reader.integer())
  else if (opcode === 0xfc) skipBulk(reader)
  else if (opcode === 0xfd) skipSimd(reader)
  else if (opcode === 0xfe) skipAtomic(reader)
  else if (!isBare(opcode)) throw unknown(opcode)
}

/** Whether nothing follows: control, parametric and numeric instructions, `ref.is_null`. */
function isBare(opcode: number): boolean {
  if (opcode >= 0x45 && opcode <= 0xc4) return true
  return [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1].includes(opcode)
}

function skipBulk(reader: BinaryReader): void {
  const opcode = reader.integer()
  const integers = BULK_INTEGERS[opcode]
  if (integers === undefined) throw unknown(0xfc00 + opcode)
  skipIntegers(reader, integers)
}

function skipSimd(reader: BinaryReader): void {
  const opcode = reader.integer()
  if (opcode > LAST_SIMD) throw unknown(0xfd00 + opcode)
  const isLaneAccess = opcode >= 84 && opcode <= 91
  if (opcode <= 11 || isLaneAccess || opcode === 92 || opcode === 93) skipAddress(reader)
  if (opcode === 12 || opcode === 13) reader.skip(16)
  if (isLaneAccess || (opcode >= 21 && opcode <= 34)) reader.skip(1)
}

function skipAtomic(reader: BinaryReader): void {
  if (reader.integer() === 3) reader.skip(1)
  else skipAddress(reader)
}

/** Alignment and offset; a bit of the alignment says that the number of a memory is between them. */
function skipAddress(reader: BinaryReader): void {
  const alignment = reader.integer()
  skipIntegers(reader, alignment & 0x40 ? 2 : 1)
}

function skipIntegers(reader: BinaryReader, count: number): void {
  for (let left = count; left > 0; left--) while (reader.byte() >= 0x80);
}

function unknown(opcode: number): RangeError {
  return new RangeError(`an instruction 0x${opcode.toString(16)}`)
}
