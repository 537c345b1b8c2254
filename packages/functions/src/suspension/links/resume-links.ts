import { createHmac, timingSafeEqual } from 'node:crypto'
import { type ImageKey, type ImageKeyOptions, imageKeySchema } from '@nexus/executor'
import { z } from 'zod'
import { isCallId } from '../call-id.js'

/** How links are made that resume calls. */
export interface ResumeLinkOptions {
  /** The address under which people reach the server, with the prefix of its API: links are `<baseUrl>/resume/<token>`. */
  baseUrl: string
  /** Keys that sign links: `current` those of now, `previous` those of the time before. Each is 32 bytes, or their text. */
  keys: ImageKeyOptions
}

/** Checks {@link ResumeLinkOptions}; no message of it shows a key. */
export const resumeLinkSchema = z.strictObject({
  baseUrl: z.string().refine(isBaseUrl, 'expected an http or https URL without query and fragment'),
  keys: imageKeySchema,
})

/** What a link resumes. */
export interface ResumeLink {
  callId: string
  /** The name that the handler gives to `ctx.suspend`, and which of its suspensions of this name it is. */
  name: string
  nth: number
  /** What it resumes with, as JSON; `''` for undefined. */
  valueJson: string
}

/** A path of Fastify has no parameters that are much longer, in base64. */
const MAX_CONTENT_BYTES = 1000

/** Signs links, and reads those that were signed with one of its keys. */
export class ResumeLinks {
  readonly #baseUrl: string
  readonly #keys: readonly Buffer[]

  constructor({ baseUrl, keys }: ResumeLinkOptions) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '')
    this.#keys = [keys.current, ...(keys.previous ?? [])].map(bytesOf)
  }

  /**
   * The address of a link.
   *
   * @throws RangeError when what it says is too long for an address; SyntaxError when the value is no JSON
   */
  urlOf({ callId, name, nth, valueJson }: ResumeLink): string {
    if (valueJson !== '') JSON.parse(valueJson)
    const content = Buffer.from(JSON.stringify([callId, name, nth, valueJson]))
    if (content.length > MAX_CONTENT_BYTES) {
      throw new RangeError(
        `ctx.resumeUrl: expected a name and a value of at most ${MAX_CONTENT_BYTES} bytes together with the id of the call, got ${content.length}`,
      )
    }
    const text = content.toString('base64url')
    return `${this.#baseUrl}/resume/${text}.${signed(text, this.#keys[0]!).toString('base64url')}`
  }

  /** What a token says; undefined where it was not signed here. */
  read(token: string): ResumeLink | undefined {
    const [text = '', signature = '', ...more] = token.split('.')
    if (more.length > 0) return undefined
    const given = Buffer.from(signature, 'base64url')
    const isOurs = this.#keys.some((key) => {
      const expected = signed(text, key)
      return given.length === expected.length && timingSafeEqual(given, expected)
    })
    if (!isOurs) return undefined
    const [callId, name, nth, valueJson] = JSON.parse(
      Buffer.from(text, 'base64url').toString(),
    ) as [string, string, number, string]
    return isCallId(callId) ? { callId, name, nth, valueJson } : undefined
  }
}

function signed(text: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`nexus resume link\0${text}`).digest()
}

/** A key is checked before. */
function bytesOf(key: ImageKey): Buffer {
  if (typeof key !== 'string') return Buffer.from(key)
  return Buffer.from(key, /^[0-9a-f]{64}$/i.test(key) ? 'hex' : 'base64')
}

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#]/.test(text)) return false
  return /^https?:$/.test(new URL(text).protocol)
}
