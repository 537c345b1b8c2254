import type { GuestArgument } from '../../native.js'
import type { PartExports } from '../../platform/kit.js'

/** The parameters of one call of `crypto.subtle`, as they cross: text, and beside it the bytes that it refers to. */
export interface ParameterWriter {
  /** Bytes, as `{ at }`. */
  bytes(source: unknown, what: string): unknown
  /** An algorithm: its name, or the members that algorithms have. */
  algorithm(given: unknown): unknown
  /** A key in the format `jwk`. */
  jwk(given: unknown): unknown
  /** All that was written: the text of `parameters`, then the bytes. */
  args(parameters: Record<string, unknown>): GuestArgument[]
}

/**
 * Gives what makes a {@link ParameterWriter} for each call. Values are converted as WebIDL says, so far as the guest's own
 * code runs for it (getters, `valueOf`); Node on the other side checks the rest.
 *
 * The guest gets the source of this function: it may use nothing but its argument and globals.
 *
 * @param idOf the id of a CryptoKey; undefined for anything else
 */
export function createParameterWriters(
  { coded }: PartExports['argument-errors'],
  idOf: (key: unknown) => number | undefined,
): () => ParameterWriter {
  const { stringify } = JSON
  const { entries } = Object
  const { isView } = ArrayBuffer
  const { isFinite: isFiniteNumber } = Number
  type Kind = 'text' | 'number' | 'bytes' | 'algorithm' | 'key'
  const MEMBERS: Record<string, Kind> = {
    name: 'text',
    hash: 'algorithm',
    namedCurve: 'text',
    length: 'number',
    modulusLength: 'number',
    publicExponent: 'bytes',
    iv: 'bytes',
    counter: 'bytes',
    additionalData: 'bytes',
    tagLength: 'number',
    label: 'bytes',
    saltLength: 'number',
    salt: 'bytes',
    info: 'bytes',
    iterations: 'number',
    context: 'bytes',
    public: 'key',
    outputLength: 'number',
    functionName: 'bytes',
    customization: 'bytes',
    domainSeparation: 'number',
    nonce: 'bytes',
    parallelism: 'number',
    memory: 'number',
    passes: 'number',
    version: 'number',
    secretValue: 'bytes',
    associatedData: 'bytes',
  }
  const members = entries(MEMBERS)
  const JWK_MEMBERS = 'kty use alg crv x y d n e p q dp dq qi k pub priv'.split(' ')

  const isObject = (value: unknown): value is Record<string, unknown> =>
    (typeof value === 'object' && value !== null) || typeof value === 'function'
  const viewOf = (source: unknown): Uint8Array | undefined => {
    if (isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    return source instanceof ArrayBuffer ? new Uint8Array(source) : undefined
  }
  const numberFrom = (value: unknown): number | string => {
    const number = +(value as number)
    // JSON has no NaN.
    return isFiniteNumber(number) ? number : `${number}`
  }

  return () => {
    const views: Uint8Array[] = []
    const refer = (view: Uint8Array) => ({ at: views.push(view) - 1 })
    const member = (value: unknown, kind: Kind): unknown => {
      if (kind === 'text') return `${value}`
      if (kind === 'number') return numberFrom(value)
      if (kind === 'algorithm') {
        if (!isObject(value)) return `${value}`
        return value.name === undefined ? {} : { name: `${value.name}` }
      }
      if (kind === 'key') {
        const key = idOf(value)
        return key === undefined ? false : { key }
      }
      const view = viewOf(value)
      // Node refuses it where the algorithm has that member, and ignores it elsewhere.
      return view === undefined ? false : refer(view)
    }
    return {
      bytes(source, what) {
        const view = viewOf(source)
        if (view === undefined) {
          throw coded(
            'ERR_INVALID_ARG_TYPE',
            `${what} is not an ArrayBuffer, a typed array or a DataView`,
          )
        }
        return refer(view)
      },
      algorithm(given) {
        if (!isObject(given)) return `${given}`
        const written: Record<string, unknown> = {}
        for (const [name, kind] of members) {
          const value = given[name]
          if (value !== undefined) written[name] = member(value, kind)
        }
        return written
      },
      jwk(given) {
        if (given === null) return {}
        if (!isObject(given))
          throw coded('ERR_INVALID_ARG_TYPE', 'The key data is not a JsonWebKey')
        const written: Record<string, unknown> = {}
        for (const name of JWK_MEMBERS) {
          if (given[name] !== undefined) written[name] = `${given[name]}`
        }
        if (given.ext !== undefined) written.ext = !!given.ext
        if (given.key_ops !== undefined) {
          written.key_ops = Array.from(given.key_ops as Iterable<unknown>, (usage) => `${usage}`)
        }
        return written
      },
      args: (parameters) => [stringify(parameters), ...views],
    }
  }
}
