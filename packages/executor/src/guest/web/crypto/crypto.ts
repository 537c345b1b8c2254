import type { GuestKit, PartExports } from '../../platform/kit.js'
import type { createParameterWriters } from './parameter-writer.js'
import type { createSubtle } from './subtle-crypto.js'

/**
 * Installs `crypto` in the guest. Random values come from the host at each call: none is ever in an image.
 *
 * The guest gets the source of this function: it may use nothing but its arguments and globals.
 */
export function installCrypto(
  { host, expose, need }: GuestKit,
  parts: {
    createSubtle: typeof createSubtle
    createParameterWriters: typeof createParameterWriters
    isThere: (method: string) => boolean
  },
): PartExports['crypto'] {
  const { coded, illegalConstructor } = need('argument-errors')
  const MAX_RANDOM_BYTES = 65_536
  const INTERNAL = {}
  const { isView } = ArrayBuffer
  const { call } = Function.prototype
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype)
  const kindOf = call.bind(
    Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)!.get as () => unknown,
  ) as (value: unknown) => string | undefined
  const { CryptoKey, SubtleCrypto, subtle, copyKey, missing } = parts.createSubtle(
    host,
    need('argument-errors'),
    parts.createParameterWriters,
    parts.isThere,
  )

  class Crypto {
    readonly #host = host
    readonly #subtle = subtle

    constructor(token: unknown) {
      if (token !== INTERNAL) throw illegalConstructor()
    }
    get subtle() {
      return this.#subtle
    }
    getRandomValues<View extends ArrayBufferView>(...args: [view: View] | []): View {
      if (args.length === 0)
        throw coded('ERR_MISSING_ARGS', missing('getRandomValues', 'Crypto', 1, 0))
      const view = args[0]
      const host = this.#host
      const kind = isView(view) ? kindOf(view) : undefined
      if (kind === undefined || kind.startsWith('Float')) {
        throw new DOMException(
          'getRandomValues takes a typed array of integers',
          'TypeMismatchError',
        )
      }
      const { buffer, byteOffset, byteLength } = view
      if (byteLength > MAX_RANDOM_BYTES) {
        throw new DOMException(
          `getRandomValues gives at most ${MAX_RANDOM_BYTES} bytes at once, ${byteLength} were asked for`,
          'QuotaExceededError',
        )
      }
      const random = host.now('random.bytes', byteLength) as ArrayBuffer
      new Uint8Array(buffer, byteOffset, byteLength).set(new Uint8Array(random))
      return view
    }
    randomUUID(): string {
      return this.#host.now('random.uuid') as string
    }
  }
  const crypto = new Crypto(INTERNAL)
  expose({ crypto, Crypto, CryptoKey, SubtleCrypto })
  return { copyKey }
}
