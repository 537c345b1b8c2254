import type { webcrypto } from 'node:crypto'
import { types } from 'node:util'
import type { NativeArgument, NativeContext } from '../../native-service.js'

/** More than any JWK with the parameters of its algorithm. */
const MAX_JSON_LENGTH = 256 * 1024

/** An algorithm as Node takes it: a name, or a dictionary of plain values. */
export type Algorithm = string | Readonly<Record<string, unknown>>

/** The parameters of a call of `crypto.subtle`, as the guest's side wrote them; see `guest/web/crypto/subtle-crypto.ts`. */
export class Parameters {
  readonly #json: Readonly<Record<string, unknown>>
  readonly #bytes: readonly NativeArgument[]
  readonly #context: NativeContext

  constructor([json, ...bytes]: readonly NativeArgument[], context: NativeContext) {
    if (typeof json !== 'string' || json.length > MAX_JSON_LENGTH) {
      throw new TypeError('The parameters are too long')
    }
    this.#json = asRecord(JSON.parse(json))
    this.#bytes = bytes
    this.#context = context
  }

  get(name: string): unknown {
    return this.#json[name]
  }

  text(name: string): string {
    const value = this.#json[name]
    if (typeof value !== 'string') throw new TypeError(`${name} is not a string`)
    return value
  }

  /** Bytes that were handed over beside the text, which says `{ at }`. */
  bytes(name: string): Uint8Array {
    const value = this.#read(this.#json[name])
    if (!(value instanceof Uint8Array)) throw new TypeError(`${name} is not a BufferSource`)
    return value
  }

  key(name: string): webcrypto.CryptoKey {
    return this.#key(this.#json[name])
  }

  /** A dictionary of which only its own plain values, bytes, keys and one more name (`hash`) are kept. */
  algorithm(name: string): Algorithm {
    const value = this.#json[name]
    if (typeof value !== 'object' || value === null) return String(value)
    return Object.fromEntries(
      Object.entries(value).map(([member, given]) => [member, this.#read(given)]),
    )
  }

  #read(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    const { at, key, name } = value as { at?: unknown; key?: unknown; name?: unknown }
    if (typeof at === 'number') return this.#bytes[at]
    if (key !== undefined) return this.#key(key)
    return name === undefined ? {} : { name }
  }

  #key(id: unknown): webcrypto.CryptoKey {
    const key = this.#context.objects.get(id)
    if (types.isCryptoKey(key)) return key
    throw new DOMException('The key is not one of this handler', 'InvalidAccessError')
  }
}

/** The name of an algorithm, as the guest wrote it. */
export function nameOf(algorithm: Algorithm): string {
  if (typeof algorithm === 'string') return algorithm
  if (algorithm.name === undefined) throw new TypeError('The algorithm has no name')
  return String(algorithm.name)
}

/** A member of an algorithm as the number that Node makes of it; 0 where there is none. */
export function numberOf(algorithm: Algorithm, member: string): number {
  const value = typeof algorithm === 'string' ? undefined : Number(algorithm[member])
  // Anything else Node refuses before it works.
  return value !== undefined && value >= 0 && value < 2 ** 32 ? value : 0
}

/** How many bytes a member of an algorithm has. */
export function lengthOf(algorithm: Algorithm, member: string): number {
  const value = typeof algorithm === 'string' ? undefined : algorithm[member]
  return value instanceof Uint8Array ? value.length : 0
}

/** The hash that an algorithm names; `''` where it names none. */
export function hashOf(algorithm: Algorithm): string {
  const hash = typeof algorithm === 'string' ? undefined : algorithm.hash
  return typeof hash === 'object' && hash !== null
    ? String((hash as { name?: unknown }).name)
    : String(hash ?? '')
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('Parameters are missing')
  return value as Record<string, unknown>
}
