import { assertFunction, assertNumber, invalidType, nodeError, outOfRange } from '../node-error.js'
import { type Bytes, bytesIn, randomBuffer, randomText } from './host.js'

type Callback<Value> = (error: unknown, value: Value) => void
const MAX_SIZE = 2 ** 31 - 1
const MAX_RANGE = 2 ** 48 - 1

/** Calls back in a turn of its own, as Node does. */
function soon(run: () => void): void {
  void Promise.resolve().then(run)
}

export function randomBytes(size: number, callback?: Callback<Bytes>): Bytes | undefined {
  assertNumber(size, 'size', 0, MAX_SIZE)
  if (callback === undefined) return randomBuffer(Math.trunc(size))
  assertFunction(callback, 'callback')
  const bytes = randomBuffer(Math.trunc(size))
  soon(() => callback(null, bytes))
  return undefined
}

export function randomFillSync<Target>(target: Target, offset = 0, size?: number): Target {
  const bytes = typeof target === 'string' ? undefined : bytesIn(target)
  if (bytes === undefined)
    throw invalidType('buf', 'an instance of ArrayBuffer or ArrayBufferView', target)
  const unit = (target as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
  assertNumber(offset, 'offset', 0, bytes.length / unit)
  const start = offset * unit
  if (size !== undefined) assertNumber(size, 'size', 0, (bytes.length - start) / unit)
  const length = size === undefined ? bytes.length - start : size * unit
  bytes.set(randomBuffer(length), start)
  return target
}

export function randomFill(target: unknown, ...rest: unknown[]): void {
  const callback = rest.pop() as Callback<unknown>
  assertFunction(callback, 'callback')
  randomFillSync(target, ...(rest as [number?, number?]))
  soon(() => callback(null, target))
}

/** A whole number from `min` up to, and without, `max`; each as likely. */
export function randomInt(...args: unknown[]): number | undefined {
  const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback<number>) : undefined
  const [min, max] = (args.length < 2 ? [0, args[0]] : args) as [number, number]
  if (!Number.isSafeInteger(min)) throw invalidType('min', 'a safe integer', min)
  if (!Number.isSafeInteger(max)) throw invalidType('max', 'a safe integer', max)
  if (max <= min) {
    throw outOfRange('max', `greater than the value of "min" (${min})`, max)
  }
  const range = max - min
  if (range > MAX_RANGE) {
    const name = args.length < 2 ? 'max' : 'max - min'
    throw outOfRange(name, `<= ${MAX_RANGE}`, args.length < 2 ? max : range)
  }
  // What is above the last whole multiple would make small numbers likelier.
  const limit = MAX_RANGE + 1 - ((MAX_RANGE + 1) % range)
  for (;;) {
    const drawn = randomBuffer(6).reduce((sum, byte) => sum * 256 + byte, 0)
    if (drawn >= limit) continue
    const value = min + (drawn % range)
    if (!callback) return value
    soon(() => callback(null, value))
    return undefined
  }
}

export function randomUUID(options?: unknown): string {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw invalidType('options', 'of type object', options)
  }
  return randomText()
}

const BUFFER = 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView'

/** Compares without telling by its time where two buffers differ. */
export function timingSafeEqual(one: unknown, other: unknown): boolean {
  const [a, b] = [one, other].map((value) =>
    typeof value === 'string' ? undefined : bytesIn(value),
  )
  if (!a) throw invalidType('buf1', BUFFER, one)
  if (!b) throw invalidType('buf2', BUFFER, other)
  if (a.length !== b.length) {
    throw nodeError(
      RangeError,
      'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH',
      'Input buffers must have the same byte length',
    )
  }
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}
