import { type HttpMessage, header } from '../http-message.js'
import {
  base64Signature,
  hexSignature,
  isSigned,
  type SignedContent,
  unsigned,
} from './signed-content.js'

/** Checks a webhook as GitHub signs them: `x-hub-signature-256: sha256=<hex HMAC-SHA256 of the body>`. */
export function verifyGithubWebhook(
  headers: HttpMessage['headers'],
  body: Buffer,
  keys: readonly string[],
): SignedContent {
  const [, hex] = /^sha256=(.*)$/.exec(header(headers, 'x-hub-signature-256') ?? '') ?? []
  const given = hexSignature(hex)
  if (given && isSigned(body, [given], keys)) return { content: body }
  throw unsigned(
    'the header x-hub-signature-256 ("sha256=<hex>") with the HMAC-SHA256 of the body, made with the secret of this webhook',
  )
}

/** Checks the HMAC-SHA256 of a body in the header `name`: hex or base64, `sha256=` before it allowed. */
export function verifyHmacWebhook(
  headers: HttpMessage['headers'],
  body: Buffer,
  keys: readonly string[],
  name: string,
): SignedContent {
  const text = (header(headers, name) ?? '').trim().replace(/^sha256=/i, '')
  const given = hexSignature(text) ?? base64Signature(text)
  if (given && isSigned(body, [given], keys)) return { content: body }
  throw unsigned(
    `the header ${name} with the HMAC-SHA256 of the body, as hex or base64, made with the secret of this webhook`,
  )
}
