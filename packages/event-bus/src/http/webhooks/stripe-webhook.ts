import { type HttpMessage, header } from '../http-message.js'
import {
  assertRecent,
  hexSignature,
  isSigned,
  type SignedContent,
  secondsToMs,
  unsigned,
} from './signed-content.js'

/** Checks a webhook as Stripe signs them: `stripe-signature: t=<seconds>,v1=<hex HMAC-SHA256 of t.body>`. */
export function verifyStripeWebhook(
  headers: HttpMessage['headers'],
  body: Buffer,
  keys: readonly string[],
  clock: { nowMs: number; toleranceMs: number },
): SignedContent {
  const parts = (header(headers, 'stripe-signature') ?? '')
    .split(',')
    .map((part) => part.trim().split('=', 2))
  const [timestamp, second] = parts.filter(([name]) => name === 't').map(([, value]) => value)
  const signatures = parts
    .filter(([name]) => name === 'v1')
    .flatMap(([, value]) => hexSignature(value) ?? [])
  const signedAtMs = secondsToMs(timestamp)
  if (Number.isNaN(signedAtMs) || second !== undefined || signatures.length === 0) {
    throw unsigned('the header stripe-signature ("t=<seconds>,v1=<hex>")')
  }
  const content = Buffer.concat([Buffer.from(`${timestamp}.`), body])
  if (!isSigned(content, signatures, keys)) {
    throw unsigned('a stripe-signature of this body made with the signing secret of this endpoint')
  }
  assertRecent(signedAtMs, clock.nowMs, clock.toleranceMs)
  return { content, signedAtMs }
}
