import { defineGlobal } from '../define-global.js'
import {
  assertInteger,
  assertNumber,
  assertString,
  invalidType,
  invalidValue,
  nodeError,
  outOfRange,
} from '../node-error.js'
import {
  decode,
  type Encoding,
  encode,
  encodedLength,
  encodingOf,
  knownEncoding,
} from './encodings.js'
import { numberMethods } from './numbers.js'

/** The longest buffer: what the memory of a sandbox can hold. */
export const kMaxLength = 2 ** 32
export const kStringMaxLength = 2 ** 29 - 24

const INSPECT = Symbol.for('nodejs.util.inspect.custom')
/** Bytes that `inspect` shows. */
export const INSPECT_MAX_BYTES = 50

type Bytes = Uint8Array<ArrayBufferLike>

class FastBuffer extends Uint8Array {}

interface BufferFunction {
  (value: unknown, encoding?: unknown, length?: unknown): Bytes
  new (value: unknown, encoding?: unknown, length?: unknown): Bytes
  prototype: Bytes
  [name: string]: unknown
}

function createBuffer(value: unknown, encoding?: unknown, length?: unknown): Bytes {
  if (typeof value !== 'number') return from(value, encoding, length)
  if (typeof encoding === 'string') throw invalidType('string', 'of type string', value)
  return alloc(value)
}

/** `Buffer`, which Node lets call with and without `new`: a function, not an arrow function. */
export const Buffer = createBuffer as unknown as BufferFunction

const assertSize = (size: unknown) => assertNumber(size, 'size', 0, kMaxLength)

function alloc(size: number, fill?: unknown, encoding?: unknown): Bytes {
  assertSize(size)
  const buffer = new FastBuffer(size)
  return fill === undefined || fill === 0 || size === 0
    ? buffer
    : fillWith(buffer, fill, undefined, undefined, encoding)
}

function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array
}

function isBuffer(value: unknown): boolean {
  return value instanceof FastBuffer
}

function isAnyArrayBuffer(value: unknown): value is ArrayBuffer {
  const tag = Object.prototype.toString.call(value)
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]'
}

/** The same memory, as a buffer. */
function wrap(bytes: Bytes): Bytes {
  return new FastBuffer(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}

function fromArrayLike(list: ArrayLike<unknown>): Bytes {
  const { length } = list
  if (length <= 0) return new FastBuffer(0)
  const buffer = new FastBuffer(length)
  for (let i = 0; i < length; i++) buffer[i] = list[i] as number
  return buffer
}

function from(value: unknown, encodingOrOffset?: unknown, length?: unknown): Bytes {
  if (typeof value === 'string') {
    const encoding = typeof encodingOrOffset === 'string' ? encodingOrOffset : undefined
    return wrap(encode(value, knownEncoding(encoding)))
  }
  if (typeof value === 'object' && value !== null) {
    if (isAnyArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length)
    const primitive: unknown = value.valueOf?.()
    if (
      primitive != null &&
      primitive !== value &&
      (typeof primitive === 'string' || typeof primitive === 'object')
    ) {
      return from(primitive, encodingOrOffset, length)
    }
    const found = fromObject(value)
    if (found) return found
    const convert = (value as { [Symbol.toPrimitive]?: unknown })[Symbol.toPrimitive]
    if (typeof convert === 'function') {
      const text: unknown = convert.call(value, 'string')
      if (typeof text === 'string') return from(text, encodingOrOffset)
    }
  }
  throw invalidType(
    'first argument',
    'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object',
    value,
  )
}

function fromArrayBuffer(memory: ArrayBuffer, offset: unknown, length: unknown): Bytes {
  let byteOffset = offset === undefined ? 0 : +(offset as number)
  if (Number.isNaN(byteOffset)) byteOffset = 0
  const left = memory.byteLength - byteOffset
  const outside = (name: string) =>
    nodeError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', `"${name}" is outside of buffer bounds`)
  if (left < 0) throw outside('offset')
  if (length === undefined) return new FastBuffer(memory, byteOffset, left)
  let byteLength = +(length as number)
  if (!(byteLength > 0)) byteLength = 0
  if (byteLength > left) throw outside('length')
  return new FastBuffer(memory, byteOffset, byteLength)
}

function fromObject(value: object): Bytes | undefined {
  const { length, type, data, buffer } = value as Record<string, unknown>
  if (length !== undefined || isAnyArrayBuffer(buffer)) {
    return typeof length === 'number'
      ? fromArrayLike(value as ArrayLike<unknown>)
      : new FastBuffer(0)
  }
  if (type === 'Buffer' && Array.isArray(data)) return fromArrayLike(data)
  return undefined
}

function byteLengthOf(value: unknown, encoding?: unknown): number {
  if (typeof value === 'string') return encodedLength(value, encodingOf(encoding) ?? 'utf8')
  if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return value.byteLength
  throw invalidType('string', 'of type string or an instance of Buffer or ArrayBuffer', value)
}

function compareBytes(a: Bytes, b: Bytes): -1 | 0 | 1 {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i]! !== b[i]!) return a[i]! < b[i]! ? -1 : 1
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

function assertBytes(value: unknown, name: string): asserts value is Bytes {
  if (!isBytes(value)) throw invalidType(name, 'an instance of Buffer or Uint8Array', value)
}

function concat(list: unknown, length?: unknown): Bytes {
  if (!Array.isArray(list)) throw invalidType('list', 'an instance of Array', list)
  let size = 0
  if (length === undefined) for (const part of list) size += (part as Bytes)?.length || 0
  else {
    assertInteger(length, 'length', 0)
    size = length as number
  }
  const buffer = new FastBuffer(size)
  let at = 0
  for (let i = 0; i < list.length; i++) {
    const part: unknown = list[i]
    assertBytes(part, `list[${i}]`)
    const room = size - at
    if (room <= 0) continue
    buffer.set(part.length > room ? part.subarray(0, room) : part, at)
    at += Math.min(part.length, room)
  }
  return buffer
}

function copyBytesFrom(view: unknown, offset?: unknown, length?: unknown): Bytes {
  if (!ArrayBuffer.isView(view) || view instanceof DataView)
    throw invalidType('view', 'an instance of TypedArray', view)
  const items = view as unknown as Bytes
  if (offset !== undefined) assertInteger(offset, 'offset', 0)
  if (length !== undefined) assertInteger(length, 'length', 0)
  const start = (offset as number) ?? 0
  const part = items.slice(start, length === undefined ? undefined : start + (length as number))
  return wrap(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
}

function fillWith(
  buffer: Bytes,
  value: unknown,
  offset?: unknown,
  end?: unknown,
  encodingName?: unknown,
): Bytes {
  let [start, stop, encoding] = [offset, end, encodingName]
  if (typeof value === 'string') {
    if (typeof start === 'string') [encoding, start, stop] = [start, 0, buffer.length]
    else if (typeof stop === 'string') [encoding, stop] = [stop, buffer.length]
    if (encoding !== undefined) assertString(encoding, 'encoding')
  }
  if (start === undefined) start = 0
  else assertNumber(start, 'offset', 0, 2 ** 32)
  if (stop === undefined) stop = buffer.length
  else assertNumber(stop, 'end', 0, buffer.length)
  const [from, to] = [start as number, stop as number]
  if (from >= to) return buffer
  if (typeof value === 'string' || isBytes(value)) {
    const pattern = isBytes(value) ? value : encode(value, knownEncoding(encoding))
    if (pattern.length === 0) {
      if (typeof value === 'string' && value !== '') throw invalidValue('value', value)
      if (isBytes(value)) throw invalidValue('value', value)
      return Uint8Array.prototype.fill.call(buffer, 0, from, to) as Bytes
    }
    for (let i = from; i < to; i++) buffer[i] = pattern[(i - from) % pattern.length]!
    return buffer
  }
  Uint8Array.prototype.fill.call(buffer, (+(value as number) || 0) & 255, from, to)
  return buffer
}

/** Where `value` is in `buffer`, from `offset` on or back. */
function find(
  buffer: Bytes,
  value: unknown,
  offset: unknown,
  encodingName: unknown,
  forward: boolean,
): number {
  assertBytes(buffer, 'buffer')
  let [start, encoding] = [offset, encodingName]
  if (typeof start === 'string') [encoding, start] = [start, undefined]
  let at = +(start as number)
  if (Number.isNaN(at)) at = forward ? 0 : buffer.length || buffer.byteLength
  at = Math.trunc(Math.max(Math.min(at, 2 ** 31 - 1), -(2 ** 31)))
  if (typeof value === 'number') {
    return forward
      ? Uint8Array.prototype.indexOf.call(buffer, value & 255, at)
      : Uint8Array.prototype.lastIndexOf.call(
          buffer,
          value & 255,
          at >= buffer.length ? buffer.length - 1 : at,
        )
  }
  if (typeof value !== 'string' && !isBytes(value)) {
    throw invalidType(
      'value',
      'one of type number or string or an instance of Buffer or Uint8Array',
      value,
    )
  }
  const kind =
    typeof value === 'string' ? knownEncoding(encoding) : (encodingOf(encoding) ?? 'utf8')
  const needle = typeof value === 'string' ? encode(value, kind) : value
  if (at < 0) at += buffer.length
  const step = kind === 'utf16le' ? 2 : 1
  if (at < 0) {
    if (!forward) return -1
    at = 0
  }
  if (needle.length === 0) return Math.min(at, buffer.length)
  const last = buffer.length - needle.length
  if (last < 0) return -1
  const matches = (from: number) => {
    for (let i = 0; i < needle.length; i++) if (buffer[from + i] !== needle[i]) return false
    return true
  }
  if (forward) {
    for (let i = at; i <= last; i += step) if (matches(i)) return i
  } else for (let i = Math.min(at, last); i >= 0; i -= step) if (matches(i)) return i
  return -1
}

function clampIndex(value: unknown, length: number, fallback: number): number {
  let index = value === undefined ? fallback : Math.trunc(+(value as number))
  if (Number.isNaN(index)) index = 0
  return index < 0 ? Math.max(0, index + length) : Math.min(index, length)
}

function writeText(
  buffer: Bytes,
  text: string,
  offset: number,
  length: number,
  encoding: Encoding,
): number {
  const room = Math.min(length, buffer.length - offset)
  let bytes: Uint8Array = encode(text, encoding)
  if (bytes.length > room) bytes = bytes.subarray(0, wholeCharacters(bytes, room, encoding))
  buffer.set(bytes, offset)
  return bytes.length
}

/** Half a character is not written. */
function wholeCharacters(bytes: Uint8Array, room: number, encoding: Encoding): number {
  if (encoding === 'utf16le') return room & ~1
  if (encoding !== 'utf8') return room
  let end = room
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return end
}

function swap(buffer: Bytes, size: number): Bytes {
  if (buffer.length % size !== 0) {
    throw nodeError(
      RangeError,
      'ERR_INVALID_BUFFER_SIZE',
      `Buffer size must be a multiple of ${size * 8}-bits`,
    )
  }
  for (let at = 0; at < buffer.length; at += size)
    Uint8Array.prototype.reverse.call(buffer.subarray(at, at + size))
  return buffer
}

// No arrow functions: programs call these with `new` as well.
function allocUnsafe(size: number) {
  return alloc(size)
}
function allocUnsafeSlow(size: number) {
  return alloc(size)
}

const statics = {
  alloc,
  allocUnsafe,
  allocUnsafeSlow,
  from,
  of: (...items: number[]) => fromArrayLike(items),
  concat,
  copyBytesFrom,
  isBuffer,
  isEncoding: (name: unknown) =>
    typeof name === 'string' && name.length !== 0 && encodingOf(name) !== undefined,
  byteLength: byteLengthOf,
  compare(a: unknown, b: unknown) {
    assertBytes(a, 'buf1')
    assertBytes(b, 'buf2')
    return compareBytes(a, b)
  },
  poolSize: 8192,
}

const methods: Record<PropertyKey, unknown> & ThisType<Bytes> = {
  toString(encoding?: unknown, start?: unknown, end?: unknown) {
    const { length } = this
    let from = start === undefined ? 0 : Math.trunc(+(start as number)) || 0
    if (from < 0) from = 0
    if (from >= length) return ''
    const to =
      end === undefined || (end as number) > length ? length : Math.trunc(+(end as number)) || 0
    if (to <= from) return ''
    return decode(
      from === 0 && to === length ? this : Uint8Array.prototype.subarray.call(this, from, to),
      knownEncoding(encoding),
    )
  },
  toJSON() {
    return { type: 'Buffer', data: Array.from(this) }
  },
  equals(other: unknown) {
    assertBytes(other, 'otherBuffer')
    return this === other || compareBytes(this, other) === 0
  },
  compare(
    other: unknown,
    targetStart: unknown = 0,
    targetEnd?: unknown,
    sourceStart: unknown = 0,
    sourceEnd?: unknown,
  ) {
    assertBytes(other, 'target')
    const bound = (value: unknown, name: string, max: number, fallback: number) => {
      if (value === undefined) return fallback
      assertInteger(value, name, 0, max)
      return value as number
    }
    const [a0, b0] = [
      bound(sourceStart, 'sourceStart', Number.MAX_SAFE_INTEGER, 0),
      bound(targetStart, 'targetStart', Number.MAX_SAFE_INTEGER, 0),
    ]
    const [a1, b1] = [
      bound(sourceEnd, 'sourceEnd', this.length, this.length),
      bound(targetEnd, 'targetEnd', other.length, other.length),
    ]
    if (a0 >= a1) return b0 >= b1 ? 0 : -1
    if (b0 >= b1) return 1
    return compareBytes(
      Uint8Array.prototype.subarray.call(this, a0, a1),
      Uint8Array.prototype.subarray.call(other, b0, b1),
    )
  },
  copy(target: unknown, targetStart?: unknown, sourceStart?: unknown, sourceEnd?: unknown) {
    assertBytes(target, 'target')
    const index = (value: unknown, fallback: number) =>
      value === undefined ? fallback : Math.trunc(+(value as number)) || 0
    const to = index(targetStart, 0)
    if (to < 0) throw outOfRange('targetStart', '>= 0', to)
    const start = index(sourceStart, 0)
    if (start < 0 || start > this.length)
      throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, start)
    const end = index(sourceEnd, this.length)
    if (end < 0) throw outOfRange('sourceEnd', '>= 0', end)
    if (to >= target.length || start >= end) return 0
    const part = Uint8Array.prototype.subarray.call(
      this,
      start,
      Math.min(end, this.length, start + target.length - to),
    )
    Uint8Array.prototype.set.call(target, part, to)
    return part.length
  },
  fill(value: unknown, offset?: unknown, end?: unknown, encoding?: unknown) {
    return fillWith(this, value, offset, end, encoding)
  },
  indexOf(value: unknown, offset?: unknown, encoding?: unknown) {
    return find(this, value, offset, encoding, true)
  },
  lastIndexOf(value: unknown, offset?: unknown, encoding?: unknown) {
    return find(this, value, offset, encoding, false)
  },
  includes(value: unknown, offset?: unknown, encoding?: unknown) {
    return find(this, value, offset, encoding, true) !== -1
  },
  subarray(start?: unknown, end?: unknown) {
    const from = clampIndex(start, this.length, 0)
    const to = Math.max(from, clampIndex(end, this.length, this.length))
    return new FastBuffer(this.buffer as ArrayBuffer, this.byteOffset + from, to - from)
  },
  slice(start?: unknown, end?: unknown) {
    return (methods.subarray as (...args: unknown[]) => Bytes).call(this, start, end)
  },
  write(text: unknown, offset?: unknown, length?: unknown, encoding?: unknown) {
    let [at, count, name] = [offset, length, encoding]
    if (typeof at === 'string') [name, at, count] = [at, undefined, undefined]
    else if (typeof count === 'string') [name, count] = [count, undefined]
    if (at !== undefined) assertInteger(at, 'offset', 0, this.length)
    const start = (at as number | undefined) ?? 0
    const room = this.length - start
    if (count !== undefined) {
      assertInteger(count, 'length', 0, this.length)
      count = Math.min(count as number, room)
    }
    if (typeof text !== 'string') {
      throw nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string')
    }
    return writeText(this, text, start, (count as number | undefined) ?? room, knownEncoding(name))
  },
  swap16() {
    return swap(this, 2)
  },
  swap32() {
    return swap(this, 4)
  },
  swap64() {
    return swap(this, 8)
  },
  [INSPECT](
    _depth: unknown,
    options: { breakLength: number; compact: unknown },
    inspect?: (value: unknown, options: unknown) => string,
  ) {
    const shown = decode(Uint8Array.prototype.subarray.call(this, 0, INSPECT_MAX_BYTES), 'hex')
      .replace(/(.{2})/g, '$1 ')
      .trim()
    const left = this.length - INSPECT_MAX_BYTES
    let text = left > 0 ? `${shown} ... ${left} more byte${left > 1 ? 's' : ''}` : shown
    const extra = Object.fromEntries(Object.entries(this).filter(([key]) => !/^\d+$/.test(key)))
    if (inspect && Object.keys(extra).length > 0) {
      if (this.length !== 0) text += ', '
      text += inspect(extra, {
        ...options,
        breakLength: Number.POSITIVE_INFINITY,
        compact: true,
      }).slice(2, -2)
    }
    return `<${this.constructor.name}${text === '' ? '' : ' '}${text}>`.replace(
      /^<(\w+)>$/,
      '<$1 >',
    )
  },
}
for (const [name, encoding] of [
  ['utf8', 'utf8'],
  ['ucs2', 'utf16le'],
  ['latin1', 'latin1'],
  ['ascii', 'ascii'],
  ['base64', 'base64'],
  ['base64url', 'base64url'],
  ['hex', 'hex'],
] as const) {
  methods[`${name}Slice`] = function (this: Bytes, start = 0, end = this.length) {
    return decode(Uint8Array.prototype.subarray.call(this, start, end), encoding)
  }
  methods[`${name}Write`] = function (
    this: Bytes,
    text: string,
    offset = 0,
    length = this.length - offset,
  ) {
    return writeText(this, text, offset, length, encoding)
  }
}
methods.inspect = methods[INSPECT]
Object.assign(methods, numberMethods())

Object.defineProperty(Buffer, 'name', { value: 'Buffer', configurable: true })
Object.setPrototypeOf(Buffer, Uint8Array)
Buffer.prototype = FastBuffer.prototype
for (const [target, members] of [
  [Buffer, statics],
  [FastBuffer.prototype, methods],
] as const) {
  for (const name of Reflect.ownKeys(members)) {
    Object.defineProperty(target, name, {
      value: (members as Record<PropertyKey, unknown>)[name],
      // As in Node, where packages copy the class by what it enumerates (safer-buffer).
      enumerable: typeof name === 'string',
      writable: true,
      configurable: true,
    })
  }
}
Object.defineProperty(FastBuffer.prototype, 'constructor', {
  value: Buffer,
  writable: true,
  configurable: true,
})
// A word of the code would call for `Intl`.
Object.defineProperty(FastBuffer.prototype, ['to', 'Locale', 'String'].join(''), {
  value: methods.toString,
  enumerable: true,
  writable: true,
  configurable: true,
})
Object.defineProperty(FastBuffer.prototype, 'parent', {
  get(this: Bytes) {
    return isBuffer(this) ? this.buffer : undefined
  },
  enumerable: true,
})
Object.defineProperty(FastBuffer.prototype, 'offset', {
  get(this: Bytes) {
    return isBuffer(this) ? this.byteOffset : undefined
  },
  enumerable: true,
})
Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer })

// Where buffers can be, programs find the class on the global object as well.
defineGlobal('Buffer', Buffer)
