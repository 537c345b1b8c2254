import { assertString, invalidType, nodeError } from '../node-error.js'
import { ask, type Bytes, bytesOf, output } from './host.js'

const BYTES = 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView'

/** An answer that is a list of byte strings. */
function partsOf(answer: unknown): Uint8Array[] {
  return (JSON.parse(answer as string) as string[]).map(
    (text) => output(bytesOf(text, 'answer', 'base64')) as Bytes,
  )
}

/** A pair of keys whose bytes the program may read, so that they are with the program. */
class KeyPair {
  protected privateKey: Uint8Array | undefined
  protected publicKey: Uint8Array | undefined

  protected key(kind: 'privateKey' | 'publicKey'): Uint8Array {
    const key = this[kind]
    if (key) return key
    throw nodeError(Error, 'ERR_CRYPTO_INVALID_STATE', NO_KEY[kind])
  }
}
const NO_KEY = {
  privateKey: 'No private key - did you forget to generate one?',
  publicKey: 'No public key - did you forget to generate one?',
}

/** The agreement on a secret by elliptic curves. */
export class ECDH extends KeyPair {
  readonly #curve: string

  constructor(curve: string) {
    super()
    assertString(curve, 'curve')
    this.#curve = curve
    ask('ecdhCurve', { curve })
  }
  static convertKey(
    key: unknown,
    curve: string,
    inputEncoding?: unknown,
    outputEncoding?: unknown,
    format = 'uncompressed',
  ): Bytes | string {
    assertString(curve, 'curve')
    const bytes = bytesOf(key, 'key', inputEncoding, BYTES)
    return output(ask('ecdhConvert', { curve, format: formatOf(format) }, bytes), outputEncoding)
  }
  generateKeys(encoding?: unknown, format?: string): Bytes | string {
    const [privateKey, publicKey] = partsOf(ask('ecdhKeys', { curve: this.#curve }))
    this.privateKey = privateKey
    this.publicKey = publicKey
    return this.getPublicKey(encoding, format)
  }
  setPrivateKey(key: unknown, encoding?: unknown): this {
    const bytes = bytesOf(key, 'key', encoding, BYTES)
    const [privateKey, publicKey] = partsOf(ask('ecdhKeys', { curve: this.#curve }, bytes))
    this.privateKey = privateKey
    this.publicKey = publicKey
    return this
  }
  setPublicKey(key: unknown, encoding?: unknown): this {
    const bytes = bytesOf(key, 'key', encoding, BYTES)
    const options = { curve: this.#curve, format: 'uncompressed' }
    this.publicKey = output(ask('ecdhConvert', options, bytes)) as Bytes
    return this
  }
  getPrivateKey(encoding?: unknown): Bytes | string {
    if (!this.privateKey) throw failed('Failed to get ECDH private key')
    return output(this.privateKey.slice(), encoding)
  }
  getPublicKey(encoding?: unknown, format = 'uncompressed'): Bytes | string {
    const written = formatOf(format)
    if (!this.publicKey) throw failed('Failed to get ECDH public key')
    const options = { curve: this.#curve, format: written }
    return output(ask('ecdhConvert', options, this.publicKey), encoding)
  }
  computeSecret(other: unknown, inputEncoding?: unknown, outputEncoding?: unknown) {
    const bytes = bytesOf(other, 'otherPublicKey', inputEncoding, BYTES)
    if (!this.privateKey) {
      throw nodeError(RangeError, 'ERR_CRYPTO_INVALID_KEYPAIR', 'Invalid key pair')
    }
    const secret = ask('ecdhSecret', { curve: this.#curve }, this.privateKey, bytes)
    return output(secret, outputEncoding)
  }
}

function failed(message: string): Error {
  return nodeError(Error, 'ERR_CRYPTO_OPERATION_FAILED', message)
}

function formatOf(format: unknown): string {
  if (format === 'compressed' || format === 'hybrid' || format === 'uncompressed') return format
  const message = `Invalid ECDH format: ${String(format)}`
  throw nodeError(TypeError, 'ERR_CRYPTO_ECDH_INVALID_FORMAT', message)
}

export function createECDH(curve: string): ECDH {
  return new ECDH(curve)
}

type Group = { group: string } | { generator: number }

/** The agreement on a secret of Diffie and Hellman, in a group that has a name or whose prime is given. */
export class DiffieHellman extends KeyPair {
  readonly #group: Group
  readonly #bytes: Uint8Array[]
  readonly verifyError: number

  constructor(group: Group, ...bytes: Uint8Array[]) {
    super()
    this.#group = group
    this.#bytes = bytes
    this.verifyError = Number(ask('dhCheck', group, ...bytes))
  }
  generateKeys(encoding?: unknown): Bytes | string {
    const [prime, generator] = this.#parameters()
    const given = this.privateKey && [this.privateKey]
    const [privateKey, publicKey] = partsOf(
      ask('dhKeys', this.#group, prime, generator, ...(given ?? [])),
    )
    this.privateKey = privateKey
    this.publicKey = publicKey
    return output(publicKey!.slice(), encoding)
  }
  computeSecret(other: unknown, inputEncoding?: unknown, outputEncoding?: unknown) {
    const bytes = bytesOf(other, 'otherPublicKey', inputEncoding, BYTES)
    const [prime, generator] = this.#parameters()
    const key = this.key('privateKey')
    return output(ask('dhSecret', this.#group, prime, generator, key, bytes), outputEncoding)
  }
  getPrime(encoding?: unknown): Bytes | string {
    return output(partsOf(ask('dhParameters', this.#group, ...this.#bytes))[0]!, encoding)
  }
  getGenerator(encoding?: unknown): Bytes | string {
    return output(partsOf(ask('dhParameters', this.#group, ...this.#bytes))[1]!, encoding)
  }
  getPublicKey(encoding?: unknown): Bytes | string {
    return output(this.key('publicKey').slice(), encoding)
  }
  getPrivateKey(encoding?: unknown): Bytes | string {
    return output(this.key('privateKey').slice(), encoding)
  }
  setPublicKey(key: unknown, encoding?: unknown): void {
    this.publicKey = bytesOf(key, 'key', encoding, BYTES).slice()
  }
  setPrivateKey(key: unknown, encoding?: unknown): void {
    this.privateKey = bytesOf(key, 'key', encoding, BYTES).slice()
  }
  #parameters(): [Uint8Array | undefined, Uint8Array | undefined] {
    return [this.#bytes[0], this.#bytes[1]]
  }
}

/** A group of RFC 2409, 3526 or 7919, such as `modp14`. */
export class DiffieHellmanGroup extends DiffieHellman {
  constructor(group: string) {
    assertString(group, 'group')
    super({ group })
  }
}

export function getDiffieHellman(group: string): DiffieHellmanGroup {
  return new DiffieHellmanGroup(group)
}

/** @throws for a length: how long the search for a prime takes is not known before */
export function createDiffieHellman(prime: unknown, ...rest: unknown[]): DiffieHellman {
  if (typeof prime === 'number') {
    throw nodeError(
      Error,
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      "createDiffieHellman does not search for primes here, which has no bounded price: give one, or use getDiffieHellman('modp14')",
    )
  }
  const hasEncoding = typeof rest[0] === 'string' && typeof prime === 'string'
  const encoding = hasEncoding ? rest.shift() : undefined
  const [generator = 2, generatorEncoding] = rest
  const bytes = bytesOf(prime, 'sizeOrKey', encoding, `one of type number or ${BYTES.slice(8)}`)
  if (typeof generator === 'number') return new DiffieHellman({ generator }, bytes)
  if (typeof generator !== 'string' && !ArrayBuffer.isView(generator)) {
    throw invalidType('generator', 'of type number or string or an instance of Buffer', generator)
  }
  const base = bytesOf(generator, 'generator', generatorEncoding, BYTES)
  return new DiffieHellman({ generator: 0 }, bytes, base)
}
