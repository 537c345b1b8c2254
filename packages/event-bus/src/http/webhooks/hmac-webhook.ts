import { type HttpMessage, header } from '../http-message.js'
import { isSigned, type SignedContent, unsigned } from './signed-content.js'

/** Checks the HMAC-SHA256 of a body in the header `name`: hex or base64, `sha256=` before it allowed. */
export function verifyHmacWebhook(
  headers: HttpMessage['headers'],
  body: Buffer,
  keys: readonly string[],
  name: string,
): SignedContent {
  const text = (header(headers, name) ?? '').trim().replace(/^sha256=/i, '')
  const isHex = /^[0-9a-f]{64}$/i.test(text)
  const given = isHex ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (isSigned(body, [given], keys)) return { content: body }
  throw unsigned(
    `the header ${name} with the HMAC-SHA256 of the body, as hex or base64, made with the secret of this webhook`,
  )
}
