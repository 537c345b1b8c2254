import { assertString } from '../node-error.js'
import { LazyTransform } from '../streams/lazy-transform.js'
import { ask, type Bytes, bytesOf, output } from './host.js'
import { secretId } from './keys.js'

const DATA = 'of type string or an instance of Buffer, TypedArray, or DataView'

type Done = (error: unknown, output?: unknown) => void

/** Hands on what comes out of a step: an error is one of the stream. */
function answer(done: Done, step: () => unknown): void {
  let output: unknown
  try {
    output = step()
  } catch (error) {
    done(error)
    return
  }
  done(null, output)
}

/** A cipher whose state is with the host, for the time of a call. */
class Cipher extends LazyTransform {
  readonly #id: number

  constructor(
    decrypt: boolean,
    algorithm: string,
    key: unknown,
    iv: unknown,
    options: object = {},
  ) {
    super(options)
    assertString(algorithm, 'cipher')
    const vector = iv === null ? undefined : bytesOf(iv, 'iv')
    const { authTagLength } = (options ?? {}) as { authTagLength?: number }
    const question = { decrypt, algorithm, key: secretId(key), authTagLength }
    this.#id = Number(ask('cipher', question, vector))
  }

  update(data: unknown, inputEncoding?: unknown, outputEncoding?: unknown): Bytes | string {
    return output(
      this.#step('update', {}, bytesOf(data, 'data', inputEncoding, DATA)),
      outputEncoding,
    )
  }
  final(outputEncoding?: unknown): Bytes | string {
    return output(this.#step('final'), outputEncoding)
  }
  setAutoPadding(padding: unknown = true): this {
    this.#step('setAutoPadding', { padding: Boolean(padding) })
    return this
  }
  setAAD(buffer: unknown, options?: { plaintextLength?: number; encoding?: unknown }): this {
    const { plaintextLength, encoding } = options ?? {}
    this.#step('setAAD', { plaintextLength }, bytesOf(buffer, 'buffer', encoding))
    return this
  }
  getAuthTag(): Bytes {
    return output(this.#step('getAuthTag')) as Bytes
  }
  setAuthTag(tag: unknown, encoding?: unknown): this {
    this.#step('setAuthTag', {}, bytesOf(tag, 'buffer', encoding))
    return this
  }
  _transform(chunk: unknown, encoding: unknown, done: Done): void {
    answer(done, () => this.update(chunk, encoding))
  }
  _flush(done: Done): void {
    answer(done, () => this.final())
  }
  #step(step: string, options: object = {}, bytes?: Uint8Array) {
    return ask('cipherStep', { step, id: this.#id, ...options }, bytes)
  }
}

export class Cipheriv extends Cipher {
  constructor(algorithm: string, key: unknown, iv: unknown, options?: object) {
    super(false, algorithm, key, iv, options)
  }
}

export class Decipheriv extends Cipher {
  constructor(algorithm: string, key: unknown, iv: unknown, options?: object) {
    super(true, algorithm, key, iv, options)
  }
}

export function createCipheriv(algorithm: string, key: unknown, iv: unknown, options?: object) {
  return new Cipheriv(algorithm, key, iv, options)
}

export function createDecipheriv(algorithm: string, key: unknown, iv: unknown, options?: object) {
  return new Decipheriv(algorithm, key, iv, options)
}

export function getCipherInfo(
  algorithm: unknown,
  { keyLength, ivLength }: { keyLength?: number; ivLength?: number } = {},
): object | undefined {
  return JSON.parse(ask('cipherInfo', { algorithm, keyLength, ivLength }) as string) ?? undefined
}
