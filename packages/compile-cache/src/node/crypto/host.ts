import { Buffer } from '../bytes/buffer-class.js'
import { invalidType } from '../node-error.js'

/** Bytes that know `Buffer`'s methods. */
export type Bytes = Uint8Array<ArrayBufferLike> & { toString(encoding?: unknown): string }
type Answer = string | ArrayBuffer
type Argument = string | Uint8Array | undefined

/** What the sandbox gives: the native services of the host (`guest/native.ts` in @nexus/executor). */
interface Native {
  now(name: string, ...args: (Argument | number)[]): Answer
  later(name: string, ...args: (Argument | number)[]): Promise<Answer>
}

const native = (globalThis as unknown as Record<symbol, Native>)[Symbol.for('nexus.native')]!
const bufferFrom = Buffer.from as (value: unknown, encoding?: unknown) => Bytes

/** Asks the host for an answer at once; its errors are Node's. */
export function ask(service: string, options: object, ...bytes: Argument[]): Answer {
  return native.now(`node.${service}`, JSON.stringify(options), ...bytes)
}

/** The same, worked on the host's thread pool. */
export function askLater(service: string, options: object, ...bytes: Argument[]): Promise<Answer> {
  return native.later(`node.${service}`, JSON.stringify(options), ...bytes)
}

/** The names of all hashes, ciphers or curves. */
export function listOf(what: string): string[] {
  return JSON.parse(native.now('node.list', what) as string)
}

export function randomBuffer(size: number): Bytes {
  return bufferFrom(native.now('random.bytes', size))
}

export function randomText(): string {
  return native.now('random.uuid') as string
}

/** An answer as Node gives it: a Buffer, or text in an encoding. */
export function output(answer: Answer | Uint8Array, encoding?: unknown): Bytes | string {
  const bytes = bufferFrom(answer)
  return encoding === undefined || encoding === null || encoding === 'buffer'
    ? bytes
    : bytes.toString(encoding)
}

/** The bytes of an argument, as they are now; `undefined` for what has none. */
export function bytesIn(value: unknown, encoding?: unknown): Uint8Array | undefined {
  if (typeof value === 'string') {
    return bufferFrom(value, encoding === 'buffer' ? 'utf8' : encoding)
  }
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  }
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined
}

const EXPECTED = 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView'

/** @throws ERR_INVALID_ARG_TYPE */
export function bytesOf(
  value: unknown,
  name: string,
  encoding?: unknown,
  expected = EXPECTED,
): Uint8Array {
  const bytes = bytesIn(value, encoding)
  if (bytes === undefined) throw invalidType(name, expected, value)
  return bytes
}

/** Tells a callback how a promise settled, as Node does. */
export function settle<Value>(
  promise: Promise<Value>,
  callback: (error: unknown, value?: Value) => void,
): void {
  promise.then(
    (value) => callback(null, value),
    (error) => callback(error),
  )
}
