import type { webcrypto } from 'node:crypto'
import type { NativeContext } from '../../native-service.js'

/** What a guest may read of a key; `id` stands for the rest. */
interface KeyFacts {
  id: number
  type: webcrypto.KeyType
  extractable: boolean
  /** Bytes are lists of numbers. */
  algorithm: unknown
  usages: readonly webcrypto.KeyUsage[]
}

/** Every parameter that the algorithm of a key may have. */
export type KeyAlgorithm = webcrypto.KeyAlgorithm & {
  hash?: webcrypto.KeyAlgorithm
  length?: number
  modulusLength?: number
  publicExponent?: Uint8Array
  namedCurve?: string
}

export function algorithmOf(key: webcrypto.CryptoKey): KeyAlgorithm {
  return key.algorithm as KeyAlgorithm
}

/** How long the secret or the largest number of a key is. */
export function keyBytes(key: webcrypto.CryptoKey): number {
  const { length = 0, modulusLength = 0 } = algorithmOf(key)
  return Math.ceil(Math.max(length, modulusLength, 1024) / 8)
}

/** The public exponent of an RSA key or of the parameters for one. */
export function exponentOf(bytes: Uint8Array | undefined): bigint {
  return bytes?.length ? BigInt(`0x${Buffer.from(bytes).toString('hex')}`) : 0n
}

/** Keeps a key for the guest. */
export function keepKey(
  key: webcrypto.CryptoKey,
  { objects, memoryLimitBytes }: NativeContext,
): KeyFacts {
  const algorithm = algorithmOf(key)
  const { publicExponent } = algorithm
  return {
    // An RSA key is eight numbers of its size and smaller.
    id: objects.add(key, keyBytes(key) * 5, memoryLimitBytes),
    type: key.type,
    extractable: key.extractable,
    algorithm: publicExponent
      ? { ...algorithm, publicExponent: { bytes: [...publicExponent] } }
      : algorithm,
    usages: key.usages,
  }
}
