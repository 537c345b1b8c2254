import { hkdf, hkdfSync, pbkdf2, pbkdf2Sync, scrypt, scryptSync } from 'node:crypto'
import { promisify } from 'node:util'
import type { NativeService } from '../../native-service.js'
import { hkdfUnits, pbkdf2Units, scryptUnits } from '../operation-units.js'
import { bytesOf, countOf, nameOf, optionsOf } from './node-arguments.js'

/** The shortest hash there is a name for: prices are of the most blocks. */
const HASH_BYTES: Readonly<Record<string, number>> = { sha256: 32, sha384: 48, sha512: 64 }
const SHORTEST_HASH_BYTES = 16

function hashBytesOf(digest: string): number {
  return HASH_BYTES[digest.toLowerCase().replace('-', '')] ?? SHORTEST_HASH_BYTES
}

const derivePbkdf2 = promisify(pbkdf2)
const deriveHkdf = promisify(hkdf)
const deriveScrypt = promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt)

/** `({ iterations, length, digest }, password, salt)` */
const pbkdf2Service: NativeService = ([json, password, salt]) => {
  const options = optionsOf(json)
  const iterations = countOf(options.iterations)
  const length = countOf(options.length)
  const digest = nameOf(options.digest)
  const [secret, seasoning] = [bytesOf(password), bytesOf(salt)]
  return {
    what: `crypto.pbkdf2 (${digest})`,
    units: pbkdf2Units(digest, hashBytesOf(digest), iterations, length),
    outputBytes: length,
    run: () => pbkdf2Sync(secret, seasoning, iterations, length, digest),
    runLater: () => derivePbkdf2(secret, seasoning, iterations, length, digest),
  }
}

/** `({ digest, length }, key, salt, info)` */
const hkdfService: NativeService = ([json, key, salt, info]) => {
  const options = optionsOf(json)
  const length = countOf(options.length)
  const digest = nameOf(options.digest)
  const [secret, seasoning, about] = [bytesOf(key), bytesOf(salt), bytesOf(info)]
  const inputBytes = secret.length + seasoning.length + about.length
  return {
    what: `crypto.hkdf (${digest})`,
    units: hkdfUnits(digest, hashBytesOf(digest), inputBytes, length),
    outputBytes: length,
    run: () => new Uint8Array(hkdfSync(digest, secret, seasoning, about, length)),
    runLater: async () =>
      new Uint8Array(await deriveHkdf(digest, secret, seasoning, about, length)),
  }
}

/** `({ length, N, r, p, maxmem }, password, salt)`; its memory counts as the guest's, whatever `maxmem` says. */
const scryptService: NativeService = ([json, password, salt]) => {
  const options = optionsOf(json)
  const length = countOf(options.length)
  const [N, r, p] = [countOf(options.N), countOf(options.r), countOf(options.p)]
  const maxmem = countOf(options.maxmem)
  const [secret, seasoning] = [bytesOf(password), bytesOf(salt)]
  // Above `maxmem` Node refuses; nothing is worked then.
  const workBytes = 128 * r * (N + p)
  const isRefused = 128 * N * r > maxmem
  return {
    what: `crypto.scrypt (N ${N}, r ${r}, p ${p})`,
    units: isRefused ? 10 : scryptUnits(N, r, p),
    outputBytes: length,
    workBytes: isRefused ? 0 : workBytes,
    run: () => scryptSync(secret, seasoning, length, { N, r, p, maxmem }),
    runLater: () => deriveScrypt(secret, seasoning, length, { N, r, p, maxmem }),
  }
}

export const DERIVE_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.pbkdf2', pbkdf2Service],
  ['node.hkdf', hkdfService],
  ['node.scrypt', scryptService],
]
