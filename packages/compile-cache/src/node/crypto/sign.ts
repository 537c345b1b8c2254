import { Buffer } from '../bytes/buffer-class.js'
import { assertFunction, assertString, nodeError } from '../node-error.js'
import { LazyTransform } from '../streams/lazy-transform.js'
import { ask, type Bytes, bytesOf, output } from './host.js'
import { type KeyInput, KeyObject, keyParameters } from './keys.js'

const concat = Buffer.concat as (list: Uint8Array[]) => Bytes

/** What `Sign` and `Verify` share: they gather the data. */
class Gatherer extends LazyTransform {
  protected readonly algorithm: string
  protected readonly chunks: Uint8Array[] = []

  constructor(algorithm: string) {
    super()
    assertString(algorithm, 'algorithm')
    this.algorithm = algorithm.replace(/^(?:RSA|ecdsa-with|DSA)-/i, '')
    // An unknown name fails now.
    ask('signDigest', { algorithm })
  }
  update(data: unknown, encoding?: unknown): this {
    const expected = 'of type string or an instance of Buffer, TypedArray, or DataView'
    this.chunks.push(bytesOf(data, 'data', encoding, expected).slice())
    return this
  }
  _transform(chunk: unknown, encoding: unknown, done: () => void): void {
    this.update(chunk, encoding)
    done()
  }
}

export class Sign extends Gatherer {
  sign(key: unknown, encoding?: unknown): Bytes | string {
    if (!key) {
      throw nodeError(Error, 'ERR_CRYPTO_SIGN_KEY_REQUIRED', 'No key provided to sign')
    }
    const options = { algorithm: this.algorithm, ...keyParameters('private', key) }
    return output(ask('sign', options, concat(this.chunks)), encoding)
  }
}

export class Verify extends Gatherer {
  verify(key: unknown, signature: unknown, encoding?: unknown): boolean {
    const options = { algorithm: this.algorithm, ...keyParameters('public', key) }
    const signed = bytesOf(signature, 'signature', encoding)
    return ask('verify', options, concat(this.chunks), signed) === 'true'
  }
}

export function createSign(algorithm: string): Sign {
  return new Sign(algorithm)
}

export function createVerify(algorithm: string): Verify {
  return new Verify(algorithm)
}

type Done<Value> = (error: unknown, value?: Value) => void

function answered<Value>(run: () => Value, callback: Done<Value> | undefined): Value | undefined {
  if (callback === undefined) return run()
  assertFunction(callback, 'callback')
  const answer = new Promise<Value>((resolve) => resolve(run()))
  answer.then((value) => callback(null, value), callback)
  return undefined
}

function digestOf(algorithm: unknown): string | null {
  if (algorithm === null || algorithm === undefined) return null
  assertString(algorithm, 'algorithm')
  return algorithm
}

export function sign(
  algorithm: unknown,
  data: unknown,
  key: unknown,
  callback?: Done<Bytes>,
): Bytes | undefined {
  const digest = digestOf(algorithm)
  const bytes = bytesOf(data, 'data')
  return answered(
    () =>
      output(ask('sign', { algorithm: digest, ...keyParameters('private', key) }, bytes)) as Bytes,
    callback,
  )
}

export function verify(
  algorithm: unknown,
  data: unknown,
  key: unknown,
  signature: unknown,
  callback?: Done<boolean>,
): boolean | undefined {
  const digest = digestOf(algorithm)
  const [bytes, signed] = [bytesOf(data, 'data'), bytesOf(signature, 'signature')]
  return answered(
    () =>
      ask('verify', { algorithm: digest, ...keyParameters('public', key) }, bytes, signed) ===
      'true',
    callback,
  )
}

function rsaOperation(operation: string, kind: 'private' | 'public') {
  return (key: unknown, data: unknown): Bytes => {
    const { oaepLabel } = (key ?? {}) as KeyInput
    const label = oaepLabel === undefined ? undefined : bytesOf(oaepLabel, 'key.oaepLabel')
    const bytes = bytesOf(data, 'buffer')
    return output(ask('rsa', { operation, ...keyParameters(kind, key) }, bytes, label)) as Bytes
  }
}

export const publicEncrypt = rsaOperation('publicEncrypt', 'public')
export const publicDecrypt = rsaOperation('publicDecrypt', 'public')
export const privateEncrypt = rsaOperation('privateEncrypt', 'private')
export const privateDecrypt = rsaOperation('privateDecrypt', 'private')

/** The secret that two keys on one curve share. */
export function diffieHellman(keys: { privateKey: unknown; publicKey: unknown }): Bytes {
  const idOf = (kind: 'private' | 'public', key: unknown) => {
    if (key instanceof KeyObject) return keyParameters(kind, key).key
    throw nodeError(
      TypeError,
      'ERR_INVALID_ARG_VALUE',
      `The property 'options.${kind}Key' is invalid`,
    )
  }
  return output(
    ask('diffieHellman', {
      privateKey: idOf('private', keys?.privateKey),
      publicKey: idOf('public', keys?.publicKey),
    }),
  ) as Bytes
}
