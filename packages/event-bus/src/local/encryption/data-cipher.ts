import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'

/** A key of 32 bytes, also as 64 hexadecimal digits or as base64. */
export type DataKey = string | Uint8Array

/** Keys that encrypt what the local store keeps of events. */
export interface DataKeyOptions {
  /** Encrypts what is written from now on. */
  current: DataKey
  /** Keys of the time before: they decrypt what was written with them. @default [] */
  previous?: readonly DataKey[] | undefined
}

const KEY_BYTES = 32
const ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** First byte of a sealed text; JSON never starts with it. */
const VERSION = 1
const HEADER_BYTES = 1 + ID_BYTES + NONCE_BYTES

const keySchema = z.custom<DataKey>(
  (value) => readKey(value) !== undefined,
  'expected 32 bytes, or their text as 64 hexadecimal digits or base64',
)

/** Checks {@link DataKeyOptions}; no message of it shows a key. */
export const dataKeySchema = z.strictObject({
  current: keySchema,
  previous: z.array(keySchema).default([]),
}) satisfies z.ZodType<Required<DataKeyOptions>, DataKeyOptions>

/**
 * Encrypts texts with AES-256-GCM: version, id of the key, random nonce, encrypted text, tag. The place of a text is
 * authenticated with it, so that it cannot be moved to another one.
 */
export class DataCipher {
  /** Id of the key that encrypts, as hexadecimal text. */
  readonly currentId: string
  readonly #current: Buffer
  readonly #keys = new Map<string, Buffer>()

  constructor({ current, previous = [] }: DataKeyOptions) {
    for (const key of [...previous, current]) {
      const bytes = readKey(key)!
      this.#keys.set(idOf(bytes), bytes)
    }
    this.#current = readKey(current)!
    this.currentId = idOf(this.#current)
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId)
  }

  seal(text: string, place: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#current, nonce)
    cipher.setAAD(Buffer.from(place))
    return Buffer.concat([
      Buffer.from([VERSION]),
      Buffer.from(this.currentId, 'hex'),
      nonce,
      cipher.update(text, 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ])
  }

  /** The text; undefined when the key is not here, or the bytes are not what was sealed for this place. */
  open(sealed: Buffer, place: string): string | undefined {
    const key = this.#keys.get(keyIdOf(sealed))
    if (key === undefined || sealed.length < HEADER_BYTES + TAG_BYTES) return undefined
    const nonce = sealed.subarray(1 + ID_BYTES, HEADER_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(place))
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    try {
      const text = decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES), undefined, 'utf8')
      return text + decipher.final('utf8')
    } catch {
      return undefined
    }
  }
}

/** Whether these bytes were written by a {@link DataCipher}. */
export function isSealed(bytes: Buffer): boolean {
  return bytes[0] === VERSION
}

/** Id of the key that sealed these bytes. */
export function keyIdOf(sealed: Buffer): string {
  return sealed.toString('hex', 1, 1 + ID_BYTES)
}

/** Names a key without telling it. */
function idOf(key: Buffer): string {
  return createHmac('sha256', key)
    .update('nexus data key')
    .digest('hex')
    .slice(0, 2 * ID_BYTES)
}

function readKey(key: unknown): Buffer | undefined {
  if (key instanceof Uint8Array) return key.length === KEY_BYTES ? Buffer.from(key) : undefined
  if (typeof key !== 'string') return undefined
  if (/^[0-9a-f]{64}$/i.test(key)) return Buffer.from(key, 'hex')
  return /^[A-Za-z0-9+/]{43}=$/.test(key) ? Buffer.from(key, 'base64') : undefined
}
