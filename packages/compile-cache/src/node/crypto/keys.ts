import {
  assertFunction,
  assertInteger,
  assertObject,
  assertString,
  invalidType,
  invalidValue,
  nodeError,
} from '../node-error.js'
import {
  ask,
  askLater,
  type Bytes,
  bytesIn,
  bytesOf,
  output,
  randomBuffer,
  settle,
} from './host.js'
import { notHere } from './not-here.js'

interface KeyFacts {
  id: number
  type: 'secret' | 'private' | 'public'
  asymmetricKeyType?: string
  symmetricKeySize?: number
  asymmetricKeyDetails?: Record<string, unknown> & { publicExponent?: unknown }
}

/** How a key is written, and what an operation with it takes beside it. */
export interface KeyInput {
  key?: unknown
  format?: string
  type?: string
  encoding?: unknown
  passphrase?: unknown
  padding?: number
  saltLength?: number
  dsaEncoding?: string
  oaepHash?: string
  oaepLabel?: unknown
}

let factsOf!: (key: KeyObject) => KeyFacts

/** A key that the host keeps. */
export class KeyObject {
  readonly #facts: KeyFacts

  static {
    factsOf = (key) => key.#facts
  }
  /** @param facts what the host says of a key it keeps */
  constructor(facts: KeyFacts) {
    if (typeof facts?.id !== 'number') {
      throw nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'type' is invalid")
    }
    const details = facts.asymmetricKeyDetails
    if (typeof details?.publicExponent === 'string') {
      details.publicExponent = BigInt(details.publicExponent)
    }
    this.#facts = facts
  }
  /** @throws always: a CryptoKey and a KeyObject are kept apart */
  static from(_key: unknown): never {
    throw notHere(
      'KeyObject.from',
      'export the key (crypto.subtle.exportKey) and create one of that',
    )
  }
  get type() {
    return this.#facts.type
  }
  get asymmetricKeyType() {
    return this.#facts.asymmetricKeyType
  }
  get asymmetricKeyDetails() {
    return this.#facts.asymmetricKeyDetails
  }
  get symmetricKeySize() {
    return this.#facts.symmetricKeySize
  }
  export(options: KeyInput & { cipher?: unknown } = {}): Bytes | string | object {
    if (options.cipher !== undefined || options.passphrase !== undefined) throw noPassphrases()
    const { format, type } = options
    const answer = ask('exportKey', { key: this.#facts.id, format, type })
    if (typeof answer !== 'string') return output(answer)
    return format === 'jwk' ? JSON.parse(answer) : answer
  }
  equals(other: unknown): boolean {
    if (!(other instanceof KeyObject)) {
      throw invalidType('otherKeyObject', 'an instance of KeyObject', other)
    }
    const form = this.type === 'secret' ? {} : { format: 'jwk' }
    const shown = (key: KeyObject) => JSON.stringify(key.export(form))
    return this.type === other.type && shown(this) === shown(other)
  }
  get [Symbol.toStringTag]() {
    return 'KeyObject'
  }
}

function noPassphrases(): Error {
  return nodeError(
    Error,
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    'Keys that are encrypted with a passphrase cannot be read or written here: decrypt them first',
  )
}

const KEY =
  'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey'

function isKeyInput(value: unknown): value is KeyInput {
  return (
    typeof value === 'object' &&
    value !== null &&
    !(value instanceof KeyObject) &&
    bytesIn(value) === undefined
  )
}

function read(kind: KeyFacts['type'], given: unknown): KeyFacts {
  const input: KeyInput = isKeyInput(given) ? given : { key: given }
  const { key, format = 'pem', type, encoding, passphrase } = input
  if (passphrase !== undefined && passphrase !== null) throw noPassphrases()
  if (key instanceof KeyObject) {
    const facts = factsOf(key)
    if (facts.type === kind) return facts
    if (kind === 'public' && facts.type === 'private') {
      return JSON.parse(ask('publicKeyOf', { key: facts.id }) as string)
    }
    throw nodeError(
      TypeError,
      'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE',
      `Invalid key object type ${facts.type}, expected private.`,
    )
  }
  if (format === 'jwk') {
    if (typeof key !== 'object' || key === null) throw invalidType('key.key', 'of type object', key)
    return JSON.parse(ask('createKey', { kind, format, jwk: key }) as string)
  }
  const bytes = bytesOf(key, isKeyInput(given) ? 'key.key' : 'key', encoding, KEY)
  return JSON.parse(ask('createKey', { kind, format, type }, bytes) as string)
}

const BYTES = 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView'

/** A key of what the host says of it. */
export function keyOfFacts(answer: string | ArrayBuffer): KeyObject {
  return new KeyObject(JSON.parse(answer as string))
}

export function createSecretKey(key: unknown, encoding?: unknown): KeyObject {
  const bytes = bytesOf(key, 'key', encoding, BYTES)
  return keyOfFacts(ask('createKey', { kind: 'secret' }, bytes))
}

export function createPrivateKey(key: unknown): KeyObject {
  return new KeyObject(read('private', key))
}

export function createPublicKey(key: unknown): KeyObject {
  return new KeyObject(read('public', key))
}

/** The id of a secret that is given as text, bytes or a KeyObject. */
export function secretId(key: unknown, encoding?: unknown): number {
  if (key instanceof KeyObject) {
    const { id, type } = factsOf(key)
    if (type === 'secret') return id
    throw nodeError(
      TypeError,
      'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE',
      `Invalid key object type ${type}, expected secret.`,
    )
  }
  const bytes = bytesOf(key, 'key', encoding, KEY)
  return JSON.parse(ask('createKey', { kind: 'secret' }, bytes) as string).id
}

/** The id of a key that an operation is given, with what else stands beside it. */
export function keyParameters(kind: 'private' | 'public', given: unknown) {
  const { padding, saltLength, dsaEncoding, oaepHash } = isKeyInput(given) ? given : {}
  return { key: read(kind, given).id, padding, saltLength, dsaEncoding, oaepHash }
}

interface PairOptions extends Record<string, unknown> {
  publicKeyEncoding?: KeyInput
  privateKeyEncoding?: KeyInput
}

function pairOf(answer: string | ArrayBuffer, options: PairOptions = {}) {
  const { publicKey, privateKey } = JSON.parse(answer as string)
  const written = (key: KeyObject, encoding: KeyInput | undefined) =>
    encoding === undefined ? key : key.export(encoding)
  return {
    publicKey: written(new KeyObject(publicKey), options?.publicKeyEncoding),
    privateKey: written(new KeyObject(privateKey), options?.privateKeyEncoding),
  }
}

/** What may be made, and what Node makes beside it: of primes that are searched at a price that is not known. */
const GENERATED = ['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448', 'x25519', 'x448']
const OF_SEARCHED_PRIMES = ['dsa', 'dh']

function assertGenerated(type: unknown): asserts type is string {
  assertString(type, 'type')
  if (OF_SEARCHED_PRIMES.includes(type)) {
    throw notHere(
      `crypto.generateKeyPair for ${type}`,
      `the search for its primes has no bounded price; there are ${GENERATED.join(', ')}`,
    )
  }
  if (!GENERATED.includes(type)) throw unsupported(type)
}

function unsupported(type: string): Error {
  return invalidValue('type', type, 'must be a supported key type')
}

export function generateKeyPairSync(type: string, options?: PairOptions) {
  assertGenerated(type)
  return pairOf(ask('generateKeyPair', { type, options }), options)
}

export function generateKeyPair(type: string, ...rest: unknown[]): void {
  assertGenerated(type)
  const callback = rest.pop() as (error: unknown, publicKey?: unknown, privateKey?: unknown) => void
  assertFunction(callback, 'callback')
  const options = rest[0] as PairOptions | undefined
  const made = askLater('generateKeyPair', { type, options }).then((answer) =>
    pairOf(answer, options),
  )
  settle(made, (error, pair) => callback(error, pair?.publicKey, pair?.privateKey))
}

const made = (type: string, options?: PairOptions) =>
  new Promise((resolve, reject) => {
    generateKeyPair(type, options, (error: unknown, publicKey: unknown, privateKey: unknown) =>
      error ? reject(error) : resolve({ publicKey, privateKey }),
    )
  })
Object.defineProperty(generateKeyPair, Symbol.for('nodejs.util.promisify.custom'), { value: made })

const AES_LENGTHS = [128, 192, 256]

/** A random key for `hmac` or `aes`. */
export function generateKeySync(type: string, options: { length: number }): KeyObject {
  assertString(type, 'type')
  assertObject(options, 'options')
  const { length } = options
  if (type === 'hmac') assertInteger(length, 'options.length', 8, 2 ** 31 - 1)
  else if (type !== 'aes') throw unsupported(type)
  else if (!AES_LENGTHS.includes(length)) {
    throw invalidValue('options.length', length, `must be one of: ${AES_LENGTHS.join(', ')}`)
  }
  return createSecretKey(randomBuffer(Math.floor(length / 8)))
}

export function generateKey(
  type: string,
  options: { length: number },
  callback: (error: unknown, key?: KeyObject) => void,
): void {
  assertFunction(callback, 'callback')
  const made = generateKeySync(type, options)
  settle(Promise.resolve(made), callback)
}
