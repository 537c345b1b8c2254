import type { webcrypto } from 'node:crypto'
import {
  argon2Units,
  cipherUnits,
  curveUnits,
  hashUnits,
  hkdfUnits,
  keyWrapUnits,
  pbkdf2Units,
  readKeyUnits,
  rsaGenerateUnits,
  rsaPrivateUnits,
  rsaPublicUnits,
} from '../operation-units.js'
import { algorithmOf, exponentOf } from './key-facts.js'
import { type Algorithm, hashOf, lengthOf, nameOf, numberOf } from './parameters.js'

/** The algorithms that have a price: Node knows no other ones on any version that is supported. */
const PRICED = new Set(
  [
    ...['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA3-256', 'SHA3-384', 'SHA3-512', 'HMAC'],
    ...['AES-CTR', 'AES-CBC', 'AES-GCM', 'AES-OCB', 'AES-KW', 'ChaCha20-Poly1305'],
    ...['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP', 'ECDSA', 'ECDH'],
    ...['Ed25519', 'Ed448', 'X25519', 'X448', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
    ...['HKDF', 'PBKDF2', 'Argon2d', 'Argon2i', 'Argon2id'],
    ...['ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024', 'KMAC128', 'KMAC256'],
    ...['cSHAKE128', 'cSHAKE256', 'TurboSHAKE128', 'TurboSHAKE256', 'KT128', 'KT256'],
  ].map((name) => name.toUpperCase()),
)

const HASH_BYTES: Readonly<Record<string, number>> = {
  'SHA-256': 32,
  'SHA-384': 48,
  'SHA-512': 64,
  'SHA3-256': 32,
  'SHA3-384': 48,
  'SHA3-512': 64,
}
const SHORTEST_HASH_BYTES = 20

/** @throws DOMException `NotSupportedError` for an algorithm without a price */
export function checkPriced(algorithm: Algorithm): void {
  if (!PRICED.has(nameOf(algorithm).toUpperCase())) {
    throw new DOMException('Unrecognized algorithm name', 'NotSupportedError')
  }
}

/** Whether keys of an algorithm are one secret, and no pair. */
export function hasSecretKey(algorithm: Algorithm | string): boolean {
  return /^(?:HMAC|KMAC|AES|ChaCha)/i.test(nameOf(algorithm))
}

function isRsa(name: string): boolean {
  return /^RSA/i.test(name)
}

/** @param bytes what is hashed, and of a function whose output has any length also that */
export function digestUnits(algorithm: Algorithm, bytes: number): number {
  return hashUnits(nameOf(algorithm), bytes + outputBytesOf(algorithm))
}

/** What a function gives whose caller says how much. */
export function outputBytesOf(algorithm: Algorithm): number {
  return Math.ceil(numberOf(algorithm, 'outputLength') / 8)
}

/** Making a fresh shared key with a key, or opening one. */
export function encapsulateUnits(key: webcrypto.CryptoKey): number {
  return curveUnits(algorithmOf(key).name)
}

/** The memory that a derivation takes. */
export function derivingBytes(algorithm: Algorithm): number {
  return numberOf(algorithm, 'memory') * 1024
}

/** Encrypting and decrypting; also the part of it in wrapping and unwrapping keys. */
export function encryptUnits(
  operation: 'encrypt' | 'decrypt',
  algorithm: Algorithm,
  key: webcrypto.CryptoKey,
  bytes: number,
): number {
  const { name, modulusLength = 0, publicExponent } = algorithmOf(key)
  if (name === 'AES-KW') return keyWrapUnits(bytes)
  if (!isRsa(name)) return cipherUnits(bytes + lengthOf(algorithm, 'additionalData'))
  return operation === 'decrypt'
    ? rsaPrivateUnits(modulusLength)
    : rsaPublicUnits(modulusLength, exponentOf(publicExponent))
}

export function signUnits(
  operation: 'sign' | 'verify',
  algorithm: Algorithm,
  key: webcrypto.CryptoKey,
  bytes: number,
): number {
  const { name, hash, modulusLength = 0, publicExponent, namedCurve } = algorithmOf(key)
  const hashing = hashUnits(hash?.name ?? (hashOf(algorithm) || 'SHA-512'), bytes)
  if (name === 'HMAC') return hashing
  if (/^KMAC/.test(name)) return hashUnits(name, bytes + outputBytesOf(algorithm))
  if (!isRsa(name)) return hashing + curveUnits(namedCurve ?? name)
  return operation === 'sign'
    ? hashing + rsaPrivateUnits(modulusLength)
    : hashing + rsaPublicUnits(modulusLength, exponentOf(publicExponent))
}

/** @param bits what is derived; where a curve gives all that it has, any number */
export function deriveUnits(algorithm: Algorithm, key: webcrypto.CryptoKey, bits: number): number {
  const hash = hashOf(algorithm)
  const hashBytes = HASH_BYTES[hash.toUpperCase()] ?? SHORTEST_HASH_BYTES
  switch (nameOf(algorithm).toUpperCase()) {
    case 'ARGON2D':
    case 'ARGON2I':
    case 'ARGON2ID':
      return argon2Units(numberOf(algorithm, 'memory'), numberOf(algorithm, 'passes')) + bits / 8
    case 'PBKDF2':
      return pbkdf2Units(hash, hashBytes, numberOf(algorithm, 'iterations'), bits / 8)
    case 'HKDF': {
      const inputBytes = lengthOf(algorithm, 'salt') + lengthOf(algorithm, 'info')
      return hkdfUnits(hash, hashBytes, inputBytes, bits / 8)
    }
    default: {
      const { name, namedCurve } = algorithmOf(key)
      return curveUnits(namedCurve ?? name)
    }
  }
}

export function generateUnits(algorithm: Algorithm): number {
  const name = nameOf(algorithm)
  if (isRsa(name) && typeof algorithm === 'object') {
    const exponent = algorithm.publicExponent
    return rsaGenerateUnits(
      numberOf(algorithm, 'modulusLength'),
      exponentOf(exponent instanceof Uint8Array ? exponent : undefined),
    )
  }
  const curve = typeof algorithm === 'object' ? String(algorithm.namedCurve ?? name) : name
  return curveUnits(hasSecretKey(algorithm) ? 'p-256' : curve)
}

export function importUnits(algorithm: Algorithm, bytes: number): number {
  const name = nameOf(algorithm)
  const curve = typeof algorithm === 'object' ? String(algorithm.namedCurve ?? name) : name
  const isOnCurve = /^(?:EC|Ed|X|ML)/i.test(name)
  return readKeyUnits(bytes) + (isOnCurve ? curveUnits(curve) : 0)
}
