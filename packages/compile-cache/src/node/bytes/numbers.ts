import { assertNumber, invalidType, nodeError, outOfRange } from '../node-error.js'

type Bytes = Uint8Array
type Methods = Record<string, (this: Bytes, ...args: never[]) => unknown>

const viewOf = (bytes: Bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_BUFFER_OUT_OF_BOUNDS */
function assertOffset(offset: unknown, size: number, length: number): void {
  if (typeof offset !== 'number') throw invalidType('offset', 'of type number', offset)
  if (Number.isInteger(offset) && offset >= 0 && offset + size <= length) return
  if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset)
  if (length - size < 0) {
    throw nodeError(
      RangeError,
      'ERR_BUFFER_OUT_OF_BOUNDS',
      'Attempt to access memory outside buffer bounds',
    )
  }
  throw outOfRange('offset', `>= 0 and <= ${length - size}`, offset)
}

/** The range of an integer of so many bytes, in the words of Node. */
function rangeOf(byteLength: number, signed: boolean, isBig: boolean): string {
  const n = isBig ? 'n' : ''
  const bits = byteLength * 8
  if (byteLength <= 4 && !isBig) {
    return signed
      ? `>= ${-(2 ** (bits - 1))} and <= ${2 ** (bits - 1) - 1}`
      : `>= 0 and <= ${2 ** bits - 1}`
  }
  return signed
    ? `>= -(2${n} ** ${bits - 1}${n}) && < 2${n} ** ${bits - 1}${n}`
    : `>= 0${n} and < 2${n} ** ${bits}${n}`
}

function assertInRange(value: number, byteLength: number, signed: boolean): void {
  const max = signed ? 2 ** (byteLength * 8 - 1) - 1 : 2 ** (byteLength * 8) - 1
  const min = signed ? -max - 1 : 0
  if (value >= min && value <= max) return
  if (value > max || value < min) {
    throw outOfRange('value', rangeOf(byteLength, signed, false), value)
  }
}

const FIXED = [
  ['Int8', 1, true],
  ['Uint8', 1, false],
  ['Int16', 2, true],
  ['Uint16', 2, false],
  ['Int32', 4, true],
  ['Uint32', 4, false],
] as const

/** `readInt8`, `writeDoubleLE` and the others, to be put on the prototype of Buffer. */
export function numberMethods(): Methods {
  const methods: Methods = {}
  const add = (name: string, method: (this: Bytes, ...args: never[]) => unknown) => {
    methods[name] = method
    // Node has `readUint8` beside `readUInt8`.
    if (name.includes('Uint')) methods[name.replace('Uint', 'UInt')] = method
  }
  for (const [type, size, signed] of FIXED) {
    for (const order of size === 1 ? [''] : ['LE', 'BE']) {
      const little = order === 'LE'
      add(`read${type}${order}`, function (this: Bytes, offset: number = 0) {
        assertOffset(offset, size, this.length)
        return viewOf(this)[`get${type}`](offset, little)
      } as never)
      add(`write${type}${order}`, function (this: Bytes, value: number, offset: number = 0) {
        const number = +value
        assertInRange(number, size, signed)
        assertOffset(offset, size, this.length)
        viewOf(this)[`set${type}`](offset, number, little)
        return offset + size
      } as never)
    }
  }
  for (const [name, type, size] of [
    ['Float', 'Float32', 4],
    ['Double', 'Float64', 8],
  ] as const) {
    for (const order of ['LE', 'BE']) {
      add(`read${name}${order}`, function (this: Bytes, offset: number = 0) {
        assertOffset(offset, size, this.length)
        return viewOf(this)[`get${type}`](offset, order === 'LE')
      } as never)
      add(`write${name}${order}`, function (this: Bytes, value: number, offset: number = 0) {
        const number = +value
        assertOffset(offset, size, this.length)
        viewOf(this)[`set${type}`](offset, number, order === 'LE')
        return offset + size
      } as never)
    }
  }
  for (const signed of [true, false]) {
    const type = signed ? 'BigInt64' : 'BigUint64'
    for (const order of ['LE', 'BE']) {
      add(`read${type}${order}`, function (this: Bytes, offset: number = 0) {
        assertOffset(offset, 8, this.length)
        return viewOf(this)[`get${type}`](offset, order === 'LE')
      } as never)
      add(`write${type}${order}`, function (this: Bytes, value: bigint, offset: number = 0) {
        if (typeof value !== 'bigint') {
          throw new TypeError('Cannot mix BigInt and other types, use explicit conversions')
        }
        const max = signed ? 2n ** 63n - 1n : 2n ** 64n - 1n
        if (value > max || value < (signed ? -(2n ** 63n) : 0n)) {
          throw outOfRange('value', rangeOf(8, signed, true), value)
        }
        assertOffset(offset, 8, this.length)
        viewOf(this)[`set${type}`](offset, value, order === 'LE')
        return offset + 8
      } as never)
    }
  }
  addVariable(add)
  return methods
}

/** `readIntBE(offset, byteLength)` and its kin: one to six bytes. */
function addVariable(
  add: (name: string, method: (this: Bytes, ...args: never[]) => unknown) => void,
): void {
  const assertSize = (byteLength: unknown) => {
    if (byteLength === undefined) throw invalidType('byteLength', 'of type number', byteLength)
    assertNumber(byteLength, 'byteLength')
    if (!Number.isInteger(byteLength)) throw outOfRange('byteLength', 'an integer', byteLength)
    if ((byteLength as number) < 1 || (byteLength as number) > 6) {
      throw outOfRange('byteLength', '>= 1 and <= 6', byteLength)
    }
  }
  for (const signed of [true, false]) {
    for (const order of ['LE', 'BE']) {
      const name = signed ? 'Int' : 'Uint'
      const place = (i: number, byteLength: number) => (order === 'LE' ? i : byteLength - 1 - i)
      add(`read${name}${order}`, function (this: Bytes, offset: number, byteLength: number) {
        if (offset === undefined) throw invalidType('offset', 'of type number', offset)
        assertSize(byteLength)
        assertOffset(offset, byteLength, this.length)
        let value = 0
        for (let i = byteLength - 1; i >= 0; i--) {
          value = value * 256 + this[offset + place(i, byteLength)]!
        }
        return signed && value >= 2 ** (byteLength * 8 - 1) ? value - 2 ** (byteLength * 8) : value
      } as never)
      add(`write${name}${order}`, function (
        this: Bytes,
        value: number,
        offset: number,
        byteLength: number,
      ) {
        assertSize(byteLength)
        let number = +value
        assertInRange(number, byteLength, signed)
        assertOffset(offset, byteLength, this.length)
        number = Math.trunc(number)
        if (number < 0) number += 2 ** (byteLength * 8)
        for (let i = 0; i < byteLength; i++) {
          this[offset + place(i, byteLength)] = number % 256
          number = Math.floor(number / 256)
        }
        return offset + byteLength
      } as never)
    }
  }
}
