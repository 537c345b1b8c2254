import {
  assertFunction,
  assertInteger,
  assertObject,
  invalidType,
  outOfRange,
} from '../node-error.js'
import { ask, askLater, bytesIn, settle } from './host.js'
import { notHere } from './not-here.js'

const CANDIDATE = 'of type bigint or an instance of ArrayBuffer, TypedArray, Buffer, or DataView'

/** The bytes of a number, the highest first. */
function bytesOfNumber(number: bigint): Uint8Array {
  if (number < 0n) throw outOfRange('candidate', '>= 0', number)
  const digits = number.toString(16)
  const hex = digits.length % 2 === 0 ? digits : `0${digits}`
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16),
  )
}

function question(candidate: unknown, options: { checks?: number } = {}) {
  const bytes = typeof candidate === 'string' ? undefined : bytesIn(candidate)
  const number = typeof candidate === 'bigint' ? bytesOfNumber(candidate) : bytes
  if (number === undefined) throw invalidType('candidate', CANDIDATE, candidate)
  assertObject(options, 'options')
  const { checks = 0 } = options
  assertInteger(checks, 'options.checks', 0, 2 ** 31 - 1)
  return ['isPrime', { checks }, number] as const
}

export function checkPrimeSync(candidate: unknown, options?: { checks?: number }): boolean {
  return ask(...question(candidate, options)) === 'true'
}

export function checkPrime(candidate: unknown, ...rest: unknown[]): void {
  const callback = rest.pop() as (error: unknown, isPrime?: boolean) => void
  assertFunction(callback, 'callback')
  const asked = question(candidate, rest[0] as { checks?: number } | undefined)
  settle(
    askLater(...asked).then((answer) => answer === 'true'),
    callback,
  )
}

/** @throws always: how long the search for a prime takes is not known before */
export function generatePrime(): never {
  throw notHere('crypto.generatePrime', 'the search for a prime has no bounded price; give one')
}

/** @throws always, as {@link generatePrime} */
export function generatePrimeSync(): never {
  throw notHere('crypto.generatePrimeSync', 'the search for a prime has no bounded price; give one')
}
