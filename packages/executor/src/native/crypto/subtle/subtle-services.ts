import { webcrypto } from 'node:crypto'
import { types } from 'node:util'
import { clipText } from '../../../result/clip-text.js'
import { copyUnits } from '../../native-price.js'
import type { NativeContext, NativeService, NativeWork } from '../../native-service.js'
import { importedPair } from '../generated-keys.js'
import { algorithmOf, keepKey, keyBytes } from './key-facts.js'
import { type Algorithm, nameOf, numberOf, Parameters } from './parameters.js'
import {
  checkPriced,
  deriveUnits,
  derivingBytes,
  digestUnits,
  encapsulateUnits,
  encryptUnits,
  generateUnits,
  hasSecretKey,
  importUnits,
  outputBytesOf,
  signUnits,
} from './prices.js'
import { SUBTLE_METHODS } from './subtle-methods.js'

const { subtle } = webcrypto

type SharedKey = [algorithm: Algorithm, extractable: boolean, usages: Usages]

/** What only newer versions of Node have. */
const newer = subtle as unknown as {
  getPublicKey(key: webcrypto.CryptoKey, usages: Usages): Promise<webcrypto.CryptoKey>
  encapsulateBits(
    algorithm: Algorithm,
    key: webcrypto.CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>
  encapsulateKey(
    algorithm: Algorithm,
    key: webcrypto.CryptoKey,
    ...shared: SharedKey
  ): Promise<{ sharedKey: webcrypto.CryptoKey; ciphertext: ArrayBuffer }>
  decapsulateBits(
    algorithm: Algorithm,
    key: webcrypto.CryptoKey,
    ciphertext: Uint8Array,
  ): Promise<ArrayBuffer>
  decapsulateKey(
    algorithm: Algorithm,
    key: webcrypto.CryptoKey,
    ciphertext: Uint8Array,
    ...shared: SharedKey
  ): Promise<webcrypto.CryptoKey>
  constructor: {
    supports(operation: string, algorithm: Algorithm, more: number | Algorithm | null): boolean
  }
}

/** Facts of a pair of keys as JSON. */
const FACTS_BYTES = 16 * 1024
/** The largest signature of a scheme that is not RSA, with room: ML-DSA-87 has 4,627. */
const SIGNATURE_BYTES = 8192
/** What ciphers add: a block of padding, or a tag. */
const CIPHER_BYTES = 64
/** HMAC takes a key as long as the block of its hash where no length is named; this is longer. */
const DERIVED_KEY_BITS = 2048

// Node checks every value at run time; its declarations are of values that are right.
type Usages = webcrypto.KeyUsage[]

/** How large a key can get when it is written, in any format. */
function exportBytes(key: webcrypto.CryptoKey): number {
  // A JWK of RSA has eight numbers in base64.
  return FACTS_BYTES + keyBytes(key) * 12
}

function usagesOf(parameters: Parameters, name: string): Usages {
  return parameters.get(name) as Usages
}

/** A key as bytes, or as a JWK, that `format` calls for. */
function keyDataOf(parameters: Parameters): {
  data: webcrypto.JsonWebKey | Uint8Array
  bytes: number
} {
  if (parameters.get('format') !== 'jwk') {
    const data = parameters.bytes('keyData')
    return { data, bytes: data.length }
  }
  const jwk = parameters.get('keyData')
  if (typeof jwk !== 'object' || jwk === null) throw new TypeError('keyData is not a JsonWebKey')
  return { data: jwk as webcrypto.JsonWebKey, bytes: JSON.stringify(jwk).length }
}

async function bytesOf(answer: Promise<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await answer)
}

/** Work of a method of `crypto.subtle`: what it is called in errors, and what its bytes cost. */
function work(
  method: string,
  algorithm: Algorithm | string,
  bytes: number,
  { units, ...rest }: Omit<NativeWork, 'what'>,
): NativeWork {
  return {
    ...rest,
    what: `crypto.subtle.${method} (${clipText(nameOf(algorithm), 64)})`,
    units: copyUnits(bytes + rest.outputBytes) + units,
  }
}

type Prepare = (parameters: Parameters, context: NativeContext) => NativeWork

const METHODS: Readonly<Record<string, Prepare>> = {
  digest(parameters) {
    const algorithm = parameters.algorithm('algorithm')
    checkPriced(algorithm)
    const data = parameters.bytes('data')
    return work('digest', algorithm, data.length, {
      units: digestUnits(algorithm, data.length),
      outputBytes: SIGNATURE_BYTES + outputBytesOf(algorithm),
      runLater: () => bytesOf(subtle.digest(algorithm as string, data)),
    })
  },
  encrypt: (parameters) => cipher('encrypt', parameters),
  decrypt: (parameters) => cipher('decrypt', parameters),
  sign(parameters) {
    const [algorithm, key, data] = signed(parameters)
    return work('sign', algorithm, data.length, {
      units: signUnits('sign', algorithm, key, data.length),
      outputBytes:
        SIGNATURE_BYTES + (algorithmOf(key).modulusLength ?? 0) / 8 + outputBytesOf(algorithm),
      runLater: () => bytesOf(subtle.sign(algorithm as string, key, data)),
    })
  },
  verify(parameters) {
    const [algorithm, key, data] = signed(parameters)
    const signature = parameters.bytes('signature')
    return work('verify', algorithm, data.length + signature.length, {
      units: signUnits('verify', algorithm, key, data.length),
      outputBytes: 8,
      runLater: async () => String(await subtle.verify(algorithm as string, key, signature, data)),
    })
  },
  deriveBits(parameters) {
    const algorithm = parameters.algorithm('algorithm')
    checkPriced(algorithm)
    const key = parameters.key('baseKey')
    const length = parameters.get('length') as number | null
    const bits = Math.max(0, Number(length) || 0)
    return work('deriveBits', algorithm, 0, {
      units: deriveUnits(algorithm, key, bits),
      outputBytes: SIGNATURE_BYTES + bits / 8,
      workBytes: derivingBytes(algorithm),
      runLater: () => bytesOf(subtle.deriveBits(algorithm as never, key, length as number)),
    })
  },
  deriveKey(parameters, context) {
    const algorithm = parameters.algorithm('algorithm')
    const derived = parameters.algorithm('derivedKeyType')
    checkPriced(algorithm)
    checkPriced(derived)
    const key = parameters.key('baseKey')
    const bits = Math.max(numberOf(derived, 'length'), DERIVED_KEY_BITS)
    return work('deriveKey', algorithm, 0, {
      units: deriveUnits(algorithm, key, bits) + importUnits(derived, bits / 8),
      outputBytes: FACTS_BYTES,
      workBytes: bits / 8 + derivingBytes(algorithm),
      runLater: async () => {
        const extractable = parameters.get('extractable') === true
        const usages = usagesOf(parameters, 'keyUsages')
        const made = subtle.deriveKey(
          algorithm as never,
          key,
          derived as never,
          extractable,
          usages,
        )
        return JSON.stringify(keepKey(await made, context))
      },
    })
  },
  generateKey(parameters, context) {
    const algorithm = parameters.algorithm('algorithm')
    checkPriced(algorithm)
    return work('generateKey', algorithm, 0, {
      units: generateUnits(algorithm),
      outputBytes: FACTS_BYTES,
      workBytes: (numberOf(algorithm, 'length') + numberOf(algorithm, 'modulusLength')) / 8,
      runLater: async () => {
        const extractable = parameters.get('extractable') === true
        const usages = usagesOf(parameters, 'keyUsages')
        const made: webcrypto.CryptoKey | webcrypto.CryptoKeyPair = await subtle.generateKey(
          algorithm as never,
          extractable || !hasSecretKey(algorithm),
          usages,
        )
        if (types.isCryptoKey(made)) return JSON.stringify(keepKey(made, context))
        const pair = await importedPair(made, extractable)
        const publicKey = keepKey(pair.publicKey, context)
        return JSON.stringify({ publicKey, privateKey: keepKey(pair.privateKey, context) })
      },
    })
  },
  importKey(parameters, context) {
    const algorithm = parameters.algorithm('algorithm')
    checkPriced(algorithm)
    const format = parameters.text('format')
    const { data, bytes } = keyDataOf(parameters)
    return work('importKey', algorithm, bytes, {
      units: importUnits(algorithm, bytes),
      outputBytes: FACTS_BYTES,
      workBytes: bytes,
      runLater: async () => {
        const extractable = parameters.get('extractable') === true
        const usages = usagesOf(parameters, 'keyUsages')
        const key = await subtle.importKey(
          format as 'raw',
          data as Uint8Array,
          algorithm as string,
          extractable,
          usages,
        )
        return JSON.stringify(keepKey(key, context))
      },
    })
  },
  exportKey(parameters) {
    const format = parameters.text('format')
    const key = parameters.key('key')
    return work('exportKey', key.algorithm.name, keyBytes(key), {
      units: importUnits(key.algorithm as unknown as Algorithm, keyBytes(key)),
      outputBytes: exportBytes(key),
      runLater: async () => {
        const data: ArrayBuffer | webcrypto.JsonWebKey = await subtle.exportKey(
          format as 'raw',
          key,
        )
        return data instanceof ArrayBuffer ? new Uint8Array(data) : JSON.stringify(data)
      },
    })
  },
  wrapKey(parameters) {
    const algorithm = parameters.algorithm('wrapAlgorithm')
    checkPriced(algorithm)
    const format = parameters.text('format')
    const [key, wrappingKey] = [parameters.key('key'), parameters.key('wrappingKey')]
    const bytes = exportBytes(key)
    return work('wrapKey', algorithm, keyBytes(key), {
      units:
        importUnits(key.algorithm as unknown as Algorithm, keyBytes(key)) +
        encryptUnits('encrypt', algorithm, wrappingKey, bytes),
      outputBytes: bytes + CIPHER_BYTES + (algorithmOf(wrappingKey).modulusLength ?? 0) / 8,
      runLater: () =>
        bytesOf(subtle.wrapKey(format as 'raw', key, wrappingKey, algorithm as string)),
    })
  },
  unwrapKey(parameters, context) {
    const algorithm = parameters.algorithm('unwrapAlgorithm')
    const unwrapped = parameters.algorithm('unwrappedKeyAlgorithm')
    checkPriced(algorithm)
    checkPriced(unwrapped)
    const format = parameters.text('format')
    const wrappedKey = parameters.bytes('wrappedKey')
    const unwrappingKey = parameters.key('unwrappingKey')
    const bytes = wrappedKey.length
    return work('unwrapKey', algorithm, bytes, {
      units:
        encryptUnits('decrypt', algorithm, unwrappingKey, bytes) + importUnits(unwrapped, bytes),
      outputBytes: FACTS_BYTES,
      workBytes: bytes,
      runLater: async () => {
        const extractable = parameters.get('extractable') === true
        const usages = usagesOf(parameters, 'keyUsages')
        const key = await subtle.unwrapKey(
          format as 'raw',
          wrappedKey,
          unwrappingKey,
          algorithm as string,
          unwrapped as string,
          extractable,
          usages,
        )
        return JSON.stringify(keepKey(key, context))
      },
    })
  },
  getPublicKey(parameters, context) {
    const key = parameters.key('key')
    return work('getPublicKey', key.algorithm.name, keyBytes(key), {
      units: importUnits(key.algorithm as unknown as Algorithm, keyBytes(key)),
      outputBytes: FACTS_BYTES,
      runLater: async () =>
        JSON.stringify(
          keepKey(await newer.getPublicKey(key, usagesOf(parameters, 'keyUsages')), context),
        ),
    })
  },
  encapsulateBits(parameters) {
    const [algorithm, key] = encapsulating(parameters)
    return work('encapsulateBits', algorithm, 0, {
      units: encapsulateUnits(key),
      outputBytes: SIGNATURE_BYTES,
      runLater: async () => {
        const { sharedKey, ciphertext } = await newer.encapsulateBits(algorithm, key)
        return Buffer.concat([new Uint8Array(sharedKey), new Uint8Array(ciphertext)])
      },
    })
  },
  encapsulateKey(parameters, context) {
    const [algorithm, key] = encapsulating(parameters)
    const shared = sharedKeyOf(parameters)
    return work('encapsulateKey', algorithm, 0, {
      units: encapsulateUnits(key) + importUnits(shared[0], SIGNATURE_BYTES),
      outputBytes: FACTS_BYTES,
      runLater: async () => {
        const { sharedKey, ciphertext } = await newer.encapsulateKey(algorithm, key, ...shared)
        return JSON.stringify({
          sharedKey: keepKey(sharedKey, context),
          ciphertext: Buffer.from(ciphertext).toString('hex'),
        })
      },
    })
  },
  decapsulateBits(parameters) {
    const [algorithm, key] = encapsulating(parameters)
    const ciphertext = parameters.bytes('ciphertext')
    return work('decapsulateBits', algorithm, ciphertext.length, {
      units: encapsulateUnits(key),
      outputBytes: SIGNATURE_BYTES,
      runLater: () => bytesOf(newer.decapsulateBits(algorithm, key, ciphertext)),
    })
  },
  decapsulateKey(parameters, context) {
    const [algorithm, key] = encapsulating(parameters)
    const shared = sharedKeyOf(parameters)
    const ciphertext = parameters.bytes('ciphertext')
    return work('decapsulateKey', algorithm, ciphertext.length, {
      units: encapsulateUnits(key) + importUnits(shared[0], SIGNATURE_BYTES),
      outputBytes: FACTS_BYTES,
      runLater: async () =>
        JSON.stringify(
          keepKey(await newer.decapsulateKey(algorithm, key, ciphertext, ...shared), context),
        ),
    })
  },
}

function encapsulating(parameters: Parameters): [Algorithm, webcrypto.CryptoKey] {
  const algorithm = parameters.algorithm('algorithm')
  checkPriced(algorithm)
  return [algorithm, parameters.key('key')]
}

/** The key that a shared secret becomes: its algorithm, whether it may be exported, and its usages. */
function sharedKeyOf(parameters: Parameters): SharedKey {
  const algorithm = parameters.algorithm('sharedKeyAlgorithm')
  checkPriced(algorithm)
  return [algorithm, parameters.get('extractable') === true, usagesOf(parameters, 'keyUsages')]
}

/** `SubtleCrypto.supports(operation, algorithm, length or another algorithm)`. */
const supports: NativeService = (args, context) => {
  const parameters = new Parameters(args, context)
  const operation = parameters.text('operation')
  const algorithm = parameters.algorithm('algorithm')
  const more = parameters.get('more')
  const last = typeof more === 'number' || more === null ? more : parameters.algorithm('more')
  return {
    what: 'SubtleCrypto.supports',
    units: copyUnits(0) + 20,
    outputBytes: 8,
    run: () => String(newer.constructor.supports(operation, algorithm, last)),
  }
}

function cipher(operation: 'encrypt' | 'decrypt', parameters: Parameters): NativeWork {
  const algorithm = parameters.algorithm('algorithm')
  checkPriced(algorithm)
  const key = parameters.key('key')
  const data = parameters.bytes('data')
  return work(operation, algorithm, data.length, {
    units: encryptUnits(operation, algorithm, key, data.length),
    outputBytes: data.length + CIPHER_BYTES + (algorithmOf(key).modulusLength ?? 0) / 8,
    runLater: () => bytesOf(subtle[operation](algorithm as never, key, data)),
  })
}

function signed(parameters: Parameters): [Algorithm, webcrypto.CryptoKey, Uint8Array] {
  const algorithm = parameters.algorithm('algorithm')
  checkPriced(algorithm)
  return [algorithm, parameters.key('key'), parameters.bytes('data')]
}

/** The methods of `crypto.subtle` that Node has, each as `subtle.<method>`: `(json, ...bytes)`. */
export const SUBTLE_SERVICES: readonly (readonly [string, NativeService])[] = [
  ...Object.entries(METHODS).map(([method, prepare]): [string, NativeService] => [
    method,
    (args, context) => prepare(new Parameters(args, context), context),
  ]),
  ['supports', supports] as const,
]
  .filter(([method]) => SUBTLE_METHODS.includes(method))
  .map(([method, service]) => [`subtle.${method}`, service] as const)
