/**
 * What cryptographic operations cost at most, in the units of `native-price.ts`: measured with OpenSSL 3.0 on x64 and
 * rounded up.
 */

/** Iterated hashes: a name of WebCrypto or of OpenSSL. */
function isFastHash(hash: string): boolean {
  return /^(?:RSA-)?sha-?1$|sha-?(?:256|224)$/i.test(hash) && !/^sha3|shake/i.test(hash)
}

function isSha2(hash: string): boolean {
  return !/^sha3|shake|blake|keccak|^k/i.test(hash) && /sha-?(?:1|224|256|384|512)/i.test(hash)
}

/** Hashing bytes, plain or as HMAC. */
export function hashUnits(hash: string, bytes: number): number {
  return 5 + bytes / (isSha2(hash) ? 200 : 50)
}

/** Encrypting or decrypting bytes with a block or stream cipher. */
export function cipherUnits(bytes: number): number {
  return 10 + bytes / 200
}

/** Wrapping a key with AES-KW, which goes over it six times, eight bytes at a time. */
export function keyWrapUnits(bytes: number): number {
  return 10 + bytes / 3
}

/** PBKDF2; `hashBytes` is what the hash gives. */
export function pbkdf2Units(
  hash: string,
  hashBytes: number,
  iterations: number,
  bytes: number,
): number {
  const blocks = Math.max(1, Math.ceil(bytes / hashBytes))
  return 10 + iterations * blocks * (isFastHash(hash) ? 0.5 : isSha2(hash) ? 0.6 : 1.5)
}

/** HKDF with a salt and info of `inputBytes` together. */
export function hkdfUnits(
  hash: string,
  hashBytes: number,
  inputBytes: number,
  bytes: number,
): number {
  const blocks = Math.max(1, Math.ceil(bytes / hashBytes))
  return 10 + blocks * (2 + hashUnits(hash, inputBytes))
}

/** Argon2, over so many KiB. */
export function argon2Units(kibibytes: number, passes: number): number {
  return 100 + 1.5 * kibibytes * passes
}

/** scrypt. */
export function scryptUnits(cost: number, blockSize: number, parallelization: number): number {
  return 10 + 0.4 * cost * blockSize * parallelization
}

/** Making an RSA key, on average: the time to find primes varies. */
export function rsaGenerateUnits(bits: number, publicExponent: bigint): number {
  const isPrime = [3n, 17n, 257n, 65537n].includes(publicExponent)
  // An exponent of many factors rules out most primes.
  return 1000 + 200_000 * (bits / 2048) ** 4 * (isPrime ? 1 : 6)
}

/** Signing or decrypting with RSA. */
export function rsaPrivateUnits(bits: number): number {
  return 50 + 800 * (bits / 2048) ** 3
}

/** Raising to a power modulo a prime of that many bits, without knowing factors. */
export function powerUnits(bits: number): number {
  return 50 + 3000 * (bits / 2048) ** 3
}

/** Verifying or encrypting with RSA: the exponent may be as long as the modulus. */
export function rsaPublicUnits(bits: number, publicExponent: bigint): number {
  return 20 + 1.2 * (bits / 2048) ** 2 * publicExponent.toString(2).length
}

const CURVE_UNITS: Readonly<Record<string, number>> = {
  'p-256': 150,
  prime256v1: 150,
  secp256r1: 150,
  'p-384': 1500,
  secp384r1: 1500,
  'p-521': 2500,
  secp521r1: 2500,
  ed25519: 150,
  x25519: 150,
  ed448: 400,
  x448: 400,
  'ml-kem-512': 200,
  'ml-kem-768': 300,
  'ml-kem-1024': 400,
  'ml-dsa-44': 1500,
  'ml-dsa-65': 2500,
  'ml-dsa-87': 3000,
}

/** Any operation on a curve, and of any other scheme that is not RSA. */
export function curveUnits(name: string): number {
  return CURVE_UNITS[name.toLowerCase()] ?? 10_000
}

/** Reading a key of a format that has a structure. */
export function readKeyUnits(bytes: number): number {
  return 400 + bytes / 5
}
