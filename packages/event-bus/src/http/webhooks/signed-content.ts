import { createHmac, timingSafeEqual } from 'node:crypto'
import { EventBusError } from '../../errors.js'

/** What the signature of a webhook covers. */
export interface SignedContent {
  /** Exactly the bytes that were signed. */
  content: Buffer
  /** The id of the delivery where the signature covers one. */
  id?: string
  /** When it was signed, in milliseconds since the epoch, where the signature covers that. */
  signedAtMs?: number
}

/** Whether one of the HMAC-SHA256 signatures that were sent was made with one of the keys. */
export function isSigned(
  content: Buffer,
  given: readonly Buffer[],
  keys: readonly (string | Buffer)[],
): boolean {
  return keys.some((key) => {
    const expected = createHmac('sha256', key).update(content).digest()
    return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected))
  })
}

/** @throws EventBusError `SIGNATURE_INVALID` when it was signed too long ago, or in the future */
export function assertRecent(signedAtMs: number, nowMs: number, toleranceMs: number): void {
  if (Math.abs(nowMs - signedAtMs) <= toleranceMs) return
  throw unsigned(
    `a signature made within ${toleranceMs / 1000} s of now; check the clocks of both machines, or send it again`,
  )
}

/** The refusal; it says what was expected, never what would have been right. */
export function unsigned(expected: string): EventBusError {
  return new EventBusError('SIGNATURE_INVALID', `webhook: expected ${expected}`)
}

/** An HMAC-SHA256 as hex, in upper or lower case; undefined for all else. */
export function hexSignature(text: string | undefined): Buffer | undefined {
  return /^[0-9a-f]{64}$/i.test(text ?? '') ? Buffer.from(text!, 'hex') : undefined
}

/** An HMAC-SHA256 as base64, with or without its padding; undefined for all else. */
export function base64Signature(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** A whole number of seconds, as milliseconds; NaN for everything else. */
export function secondsToMs(text: string | undefined): number {
  return /^\d{1,12}$/.test(text ?? '') ? Number(text) * 1000 : Number.NaN
}
