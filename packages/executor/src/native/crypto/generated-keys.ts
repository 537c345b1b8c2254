import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto'

const { subtle } = webcrypto

/**
 * Node 20 stops for ever when it collects what is left of a generator while the same key tells its details: both take the
 * lock of the key, on one thread. So no guest gets a key as it was generated, but one that was read from its bytes.
 */
export const AS_BYTES = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
} as const

/** Two keys as {@link AS_BYTES}. */
export interface PairBytes {
  publicKey: Buffer
  privateKey: Buffer
}

/** Keys of `node:crypto` that were generated as bytes. */
export function readPair(bytes: PairBytes): { publicKey: KeyObject; privateKey: KeyObject } {
  return {
    publicKey: createPublicKey({ key: bytes.publicKey, format: 'der', type: 'spki' }),
    privateKey: createPrivateKey({ key: bytes.privateKey, format: 'der', type: 'pkcs8' }),
  }
}

/**
 * Keys of WebCrypto that were generated, as keys that were imported.
 *
 * @param pair with a private key that may be exported
 * @param extractable of the private key that is given
 */
export async function importedPair(
  { publicKey, privateKey }: webcrypto.CryptoKeyPair,
  extractable: boolean,
): Promise<webcrypto.CryptoKeyPair> {
  return {
    publicKey: await imported('spki', publicKey, true),
    privateKey: await imported('pkcs8', privateKey, extractable),
  }
}

async function imported(
  format: 'spki' | 'pkcs8',
  key: webcrypto.CryptoKey,
  extractable: boolean,
): Promise<webcrypto.CryptoKey> {
  const bytes = await subtle.exportKey(format, key)
  return subtle.importKey(format, bytes, key.algorithm, extractable, key.usages)
}
