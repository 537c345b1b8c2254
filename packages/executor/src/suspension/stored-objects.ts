import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  KeyObject,
  webcrypto,
} from 'node:crypto'
import { types } from 'node:util'
import type { KeptObject } from '../native/native-objects.js'

/** A key as it is stored in an image. */
export interface StoredObject {
  readonly id: number
  readonly bytes: number
  readonly type: webcrypto.KeyType
  /** Base64: of a secret key its bytes, of others PKCS #8 or SPKI in DER. */
  readonly data: string
  /** What `crypto.subtle` knows of it; missing for a key of `node:crypto`. */
  readonly subtle?: {
    readonly algorithm: webcrypto.KeyAlgorithm
    readonly usages: webcrypto.KeyUsage[]
  }
}

/** A key that may be exported, as it is stored. */
export function storedObject({ id, object, bytes }: KeptObject): StoredObject {
  const isSubtle = types.isCryptoKey(object)
  const key = isSubtle ? KeyObject.from(object as webcrypto.CryptoKey) : (object as KeyObject)
  const { type } = key
  const data =
    type === 'secret'
      ? key.export()
      : key.export({ format: 'der', type: type === 'private' ? 'pkcs8' : 'spki' })
  const stored = { id, bytes, type, data: data.toString('base64') }
  if (!isSubtle) return stored
  const { algorithm, usages } = object as webcrypto.CryptoKey
  return { ...stored, subtle: { algorithm, usages } }
}

/** The opposite of {@link storedObject}. */
export async function keptObject({
  id,
  bytes,
  type,
  data,
  subtle,
}: StoredObject): Promise<KeptObject> {
  const content = Buffer.from(data, 'base64')
  if (subtle) {
    const { algorithm, usages } = subtle
    const format = type === 'secret' ? 'raw' : type === 'private' ? 'pkcs8' : 'spki'
    const object = await webcrypto.subtle.importKey(format, content, algorithm, true, usages)
    return { id, object, bytes }
  }
  if (type === 'secret') return { id, object: createSecretKey(content), bytes }
  const create = type === 'private' ? createPrivateKey : createPublicKey
  const form = type === 'private' ? 'pkcs8' : 'spki'
  return { id, object: create({ key: content, format: 'der', type: form } as never), bytes }
}
