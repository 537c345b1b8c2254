import { assertString, invalidType, nodeError } from '../node-error.js'
import { LazyTransform } from '../streams/lazy-transform.js'
import { ask, type Bytes, bytesIn, output } from './host.js'
import { secretId } from './keys.js'

const NOTHING = new Uint8Array()
const DATA = 'of type string or an instance of Buffer, TypedArray, or DataView'

/** Text and bytes, one after the other. */
class Chunks {
  readonly #chunks: Uint8Array[]

  constructor(chunks: readonly Uint8Array[] = []) {
    this.#chunks = [...chunks]
  }

  add(data: unknown, encoding: unknown): void {
    const bytes =
      typeof data === 'string' || ArrayBuffer.isView(data) ? bytesIn(data, encoding) : undefined
    if (bytes === undefined) throw invalidType('data', DATA, data)
    this.#chunks.push(bytes.slice())
  }

  whole(): Uint8Array {
    const { length } = this.#chunks
    if (length < 2) return this.#chunks[0] ?? NOTHING
    const whole = new Uint8Array(this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }

  copy(): Chunks {
    return new Chunks(this.#chunks)
  }
}

function finalized(): Error {
  return nodeError(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called')
}

/**
 * A hash. It keeps the data until `digest`: a state that lived with the host would not be rewound between calls.
 */
export class Hash extends LazyTransform {
  readonly #options: { algorithm: string; outputLength?: number }
  readonly #chunks: Chunks
  #isOver = false

  constructor(algorithm: string, options: { outputLength?: number } = {}, chunks = new Chunks()) {
    super(options)
    assertString(algorithm, 'algorithm')
    const { outputLength } = options ?? {}
    this.#options = { algorithm, ...(outputLength !== undefined && { outputLength }) }
    this.#chunks = chunks
    // An unknown name fails now.
    ask('hash', this.#options, NOTHING)
  }

  update(data: unknown, encoding?: unknown): this {
    if (this.#isOver) throw finalized()
    this.#chunks.add(data, encoding)
    return this
  }

  digest(encoding?: unknown): Bytes | string {
    if (this.#isOver) throw finalized()
    this.#isOver = true
    return output(ask('hash', this.#options, this.#chunks.whole()), encoding)
  }

  _transform(chunk: unknown, encoding: unknown, done: () => void): void {
    this.update(chunk, encoding)
    done()
  }
  _flush(done: (error: null, digest: unknown) => void): void {
    done(null, this.digest())
  }
  copy(options?: { outputLength?: number }): Hash {
    if (this.#isOver) throw finalized()
    return new Hash(this.#options.algorithm, { ...this.#options, ...options }, this.#chunks.copy())
  }
}

/** A keyed hash. */
export class Hmac extends LazyTransform {
  readonly #options: { algorithm: string; key: number }
  readonly #chunks = new Chunks()
  #isOver = false

  constructor(algorithm: string, key: unknown, options?: { encoding?: unknown }) {
    super(options)
    assertString(algorithm, 'hmac')
    this.#options = { algorithm, key: secretId(key, options?.encoding) }
    ask('hmac', this.#options, NOTHING)
  }

  update(data: unknown, encoding?: unknown): this {
    if (this.#isOver) throw finalized()
    this.#chunks.add(data, encoding)
    return this
  }

  digest(encoding?: unknown): Bytes | string {
    if (this.#isOver) return output(NOTHING, encoding)
    this.#isOver = true
    return output(ask('hmac', this.#options, this.#chunks.whole()), encoding)
  }
  _transform(chunk: unknown, encoding: unknown, done: () => void): void {
    this.update(chunk, encoding)
    done()
  }
  _flush(done: (error: null, digest: unknown) => void): void {
    done(null, this.digest())
  }
}

export function createHash(algorithm: string, options?: { outputLength?: number }): Hash {
  return new Hash(algorithm, options)
}

export function createHmac(
  algorithm: string,
  key: unknown,
  options?: { encoding?: unknown },
): Hmac {
  return new Hmac(algorithm, key, options)
}

/** The hash of one piece of data. */
export function hash(algorithm: string, data: unknown, encoding: unknown = 'hex'): Bytes | string {
  return new Hash(algorithm).update(data).digest(encoding)
}
