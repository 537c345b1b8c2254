import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'

/** A key of 32 bytes, also as 64 hexadecimal digits or as base64. */
export type ImageKey = string | Uint8Array

/** Keys that encrypt images of suspended calls. */
export interface ImageKeyOptions {
  /** Encrypts what is written from now on. */
  current: ImageKey
  /** Keys of the time before: they decrypt what was written with them. @default [] */
  previous?: readonly ImageKey[] | undefined
}

const KEY_BYTES = 32
const ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SUM_BYTES = 32
const MAGIC = Buffer.from('NXSI\u0001', 'latin1')
const PLAIN = 0
const ENCRYPTED = 1
const HEAD_BYTES = MAGIC.length + 1

const keySchema = z.custom<ImageKey>(
  (value) => readKey(value) !== undefined,
  'expected 32 bytes, or their text as 64 hexadecimal digits or base64',
)

/** Checks {@link ImageKeyOptions}; no message of it shows a key. */
export const imageKeySchema = z.strictObject({
  current: keySchema,
  previous: z.array(keySchema).default([]),
}) satisfies z.ZodType<Required<ImageKeyOptions>, ImageKeyOptions>

/**
 * Seals images: magic, version, kind; then the id of a key, a nonce, the bytes under AES-256-GCM and their tag, or without a
 * key the bytes and a SHA-256. The place that an image is for is part of what is sealed, so that none stands for another.
 */
export class ImageSealer {
  readonly #keys = new Map<string, Buffer>()
  #current: { id: string; key: Buffer } | undefined

  /** @param options without them images are not encrypted, and a change is only noticed where no one meant it */
  constructor(options: ImageKeyOptions | undefined) {
    for (const given of options ? [...(options.previous ?? []), options.current] : []) {
      const key = readKey(given)!
      const id = idOf(key)
      this.#keys.set(id, key)
      this.#current = { id, key }
    }
  }

  seal(bytes: Uint8Array, place: string): Buffer {
    const head = Buffer.concat([MAGIC, Buffer.from([this.#current ? ENCRYPTED : PLAIN])])
    if (!this.#current) return Buffer.concat([head, bytes, sum(bytes, place)])
    const { id, key } = this.#current
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    cipher.setAAD(Buffer.from(place))
    const encrypted = [cipher.update(bytes), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat([head, Buffer.from(id, 'hex'), nonce, ...encrypted])
  }

  /** What was sealed, or why it is refused. */
  open(sealed: Uint8Array, place: string): Buffer | { refused: string } {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
    if (bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
      return { refused: 'it is no image that this version of Nexus writes' }
    }
    const kind = bytes[MAGIC.length]
    if (kind === ENCRYPTED) return this.#decrypt(bytes.subarray(HEAD_BYTES), place)
    if (kind !== PLAIN || bytes.length < HEAD_BYTES + SUM_BYTES) return { refused: DAMAGED }
    if (this.#current) {
      return { refused: 'it is not encrypted, and here is a key: anyone may have written it' }
    }
    const content = bytes.subarray(HEAD_BYTES, -SUM_BYTES)
    return sum(content, place).equals(bytes.subarray(-SUM_BYTES)) ? content : { refused: DAMAGED }
  }

  #decrypt(bytes: Buffer, place: string): Buffer | { refused: string } {
    if (bytes.length < ID_BYTES + NONCE_BYTES + TAG_BYTES) return { refused: DAMAGED }
    const key = this.#keys.get(bytes.toString('hex', 0, ID_BYTES))
    if (!key) return { refused: 'it is encrypted with a key that is not among those given here' }
    const nonce = bytes.subarray(ID_BYTES, ID_BYTES + NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(place))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    try {
      const content = bytes.subarray(ID_BYTES + NONCE_BYTES, -TAG_BYTES)
      return Buffer.concat([decipher.update(content), decipher.final()])
    } catch {
      return { refused: DAMAGED }
    }
  }
}

const DAMAGED = 'it was changed, cut short or written for another suspension'

function sum(bytes: Uint8Array, place: string): Buffer {
  return createHash('sha256').update(`${place.length} ${place}`).update(bytes).digest()
}

/** Says which key encrypted an image, and nothing of the key. */
function idOf(key: Buffer): string {
  return createHmac('sha256', key)
    .update('nexus image key')
    .digest('hex')
    .slice(0, ID_BYTES * 2)
}

function readKey(key: unknown): Buffer | undefined {
  if (key instanceof Uint8Array) return key.length === KEY_BYTES ? Buffer.from(key) : undefined
  if (typeof key !== 'string') return undefined
  if (/^[0-9a-f]{64}$/i.test(key)) return Buffer.from(key, 'hex')
  const bytes = Buffer.from(key, 'base64')
  return bytes.length === KEY_BYTES && bytes.toString('base64') === key ? bytes : undefined
}
