import { EventBusError } from '../../errors.js'
import { type HttpMessage, header } from '../http-message.js'
import {
  assertRecent,
  base64Signature,
  isSigned,
  type SignedContent,
  secondsToMs,
  unsigned,
} from './signed-content.js'

/**
 * Checks a webhook as standardwebhooks.com says: `webhook-id`, `webhook-timestamp` in seconds, and in
 * `webhook-signature` one or several `v1,<base64 HMAC-SHA256 of id.timestamp.body>`.
 */
export function verifyStandardWebhook(
  headers: HttpMessage['headers'],
  body: Buffer,
  keys: readonly Buffer[],
  clock: { nowMs: number; toleranceMs: number },
): SignedContent {
  const id = header(headers, 'webhook-id')
  const timestamp = header(headers, 'webhook-timestamp')
  const signedAtMs = secondsToMs(timestamp)
  const signatures = (header(headers, 'webhook-signature') ?? '')
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .flatMap((one) => base64Signature(one.slice(3)) ?? [])
  // With a dot in the id, the same signed text could be parted into another id, time and body.
  if (!id || id.includes('.') || Number.isNaN(signedAtMs) || signatures.length === 0) {
    throw unsigned(
      'the headers webhook-id (without a dot), webhook-timestamp and webhook-signature ("v1,<base64>")',
    )
  }
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body])
  if (!isSigned(content, signatures, keys)) {
    throw unsigned(
      'a webhook-signature of this id, timestamp and body made with the secret of this webhook',
    )
  }
  assertRecent(signedAtMs, clock.nowMs, clock.toleranceMs)
  return { content, id, signedAtMs }
}

/** As long as the shortest secret of the other schemes; the specification makes them of 24 to 64 bytes. */
const MIN_KEY_BYTES = 8

/**
 * The key that a secret `whsec_<base64>` stands for.
 *
 * @throws EventBusError `INVALID_OPTIONS`, without the secret
 */
export function standardWebhookKey(secret: string): Buffer {
  const text = secret.replace(/^whsec_/, '')
  const key = Buffer.from(text, 'base64')
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text) && key.length >= MIN_KEY_BYTES) return key
  throw new EventBusError(
    'INVALID_OPTIONS',
    `webhook: expected a secret of the form whsec_<base64> of at least ${MIN_KEY_BYTES} bytes, as Standard Webhooks has it`,
  )
}
