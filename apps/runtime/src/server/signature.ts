import { createHmac, timingSafeEqual } from 'node:crypto'
import { HttpError } from './http-error.js'

/**
 * Checks the HMAC-SHA256 of a body against `sha256=<hex>`, the form that GitHub and many others send.
 *
 * @throws HttpError 401
 */
export function verifySignature(
  body: Buffer,
  given: unknown,
  header: string,
  secret: string,
): void {
  const expected = createHmac('sha256', secret).update(body).digest()
  const [, hex] = /^sha256=([0-9a-f]{64})$/i.exec(typeof given === 'string' ? given : '') ?? []
  if (hex !== undefined && timingSafeEqual(Buffer.from(hex, 'hex'), expected)) return
  throw new HttpError(
    401,
    'SIGNATURE_INVALID',
    `Expected the header ${header} with "sha256=" and the hex HMAC-SHA256 of the body.`,
  )
}
