import { createHash } from 'node:crypto'
import type { EventInput, JsonValue } from '../../event/cloud-event.js'
import { parseOptions } from '../../parse-options.js'
import { type BodyData, bodyData, parseJsonBody } from '../body-data.js'
import { type HttpMessage, header } from '../http-message.js'
import { isJson } from '../media-type.js'
import { verifyGithubWebhook, verifyHmacWebhook } from './hmac-webhook.js'
import type { SignedContent } from './signed-content.js'
import { standardWebhookKey, verifyStandardWebhook } from './standard-webhooks.js'
import { verifyStripeWebhook } from './stripe-webhook.js'
import {
  type ResolvedWebhookOptions,
  type WebhookOptions,
  webhookSchema,
} from './webhook-options.js'

/**
 * Makes events of the webhooks of one sender, after it has checked who signed them.
 *
 * The id of an event is the signed one; without one it is the digest of the signed content, so that a delivery that is
 * sent again, by its sender or by one who recorded it, is a duplicate. The type is always `type` or begins with
 * `type` and a dot: what a header says without being signed can choose no other.
 *
 * @example
 * ```ts
 * const github = new Webhook({ scheme: 'github', secrets: [secret], type: 'com.github' })
 * await bus.publish(github.receive({ headers: request.headers, body })) // com.github.push
 * ```
 */
export class Webhook {
  readonly #options: ResolvedWebhookOptions
  readonly #verify: (message: HttpMessage, body: Buffer, nowMs: number) => SignedContent

  /** @throws EventBusError `INVALID_OPTIONS`; it never shows a secret */
  constructor(options: WebhookOptions) {
    this.#options = parseOptions(webhookSchema, options, 'Webhook')
    this.#verify = verifierOf(this.#options)
  }

  /**
   * The event that a webhook is.
   *
   * @param message headers with names in lower case, and the body as it came, not parsed
   * @param nowMs milliseconds since the epoch
   * @throws EventBusError `SIGNATURE_INVALID`; `INVALID_JSON`, `TOO_DEEP`, `INVALID_EVENT` for what was signed but
   * makes no event
   */
  receive(message: HttpMessage, nowMs: number = Date.now()): EventInput {
    const body = Buffer.from(message.body)
    const { content, id, signedAtMs } = this.#verify(message, body, nowMs)
    const payload = this.#payload(message.headers, body)
    return {
      type: this.#type(message.headers, payload),
      source: this.#options.source,
      id: id ?? this.#signedId(payload) ?? createHash('sha256').update(content).digest('hex'),
      ...(signedAtMs !== undefined && { time: new Date(signedAtMs).toISOString() }),
      ...payload,
    }
  }

  /**
   * No scheme signs `content-type`, so it may not choose what the signed bytes mean: of the schemes that send JSON, JSON
   * is read as such whatever the header says.
   */
  #payload(headers: HttpMessage['headers'], body: Buffer): Payload {
    const { scheme } = this.#options
    const contentType = header(headers, 'content-type')
    if (scheme === 'stripe') return { data: parseJsonBody(body) }
    if (scheme !== 'hmac') {
      const signed = jsonObject(body) ?? (scheme === 'github' ? formPayload(body) : undefined)
      if (signed !== undefined) return { data: signed }
    }
    if (contentType === undefined || isJson(contentType)) return bodyData(body, contentType)
    return { ...bodyData(body, contentType), datacontenttype: contentType }
  }

  /** Stripe's id is in the body, which is signed. */
  #signedId(payload: Payload): string | undefined {
    return this.#options.scheme === 'stripe' ? textOf(payload, 'id') : undefined
  }

  #type(headers: HttpMessage['headers'], payload: Payload): string {
    const { type, typeHeader, scheme } = this.#options
    const named =
      scheme === 'github'
        ? header(headers, 'x-github-event')
        : scheme === 'hmac'
          ? typeHeader && header(headers, typeHeader)
          : textOf(payload, 'type')
    if (named === undefined || named === '') return type
    return named === type || named.startsWith(`${type}.`) ? named : `${type}.${named}`
  }
}

type Payload = BodyData & { datacontenttype?: string }

function verifierOf(
  options: ResolvedWebhookOptions,
): (message: HttpMessage, body: Buffer, nowMs: number) => SignedContent {
  const { scheme, secrets, toleranceMs, signatureHeader } = options
  switch (scheme) {
    case 'standard-webhooks': {
      const keys = secrets.map(standardWebhookKey)
      return ({ headers }, body, nowMs) =>
        verifyStandardWebhook(headers, body, keys, { nowMs, toleranceMs })
    }
    case 'stripe':
      return ({ headers }, body, nowMs) =>
        verifyStripeWebhook(headers, body, secrets, { nowMs, toleranceMs })
    case 'github':
      return ({ headers }, body) => verifyGithubWebhook(headers, body, secrets)
    case 'hmac': {
      const name = signatureHeader ?? 'x-signature'
      return ({ headers }, body) => verifyHmacWebhook(headers, body, secrets, name)
    }
  }
}

/** The JSON that the bytes are where they are an object or a list. */
function jsonObject(body: Buffer): JsonValue | undefined {
  const first = body.toString('latin1').trimStart()[0]
  return first === '{' || first === '[' ? parseJsonBody(body) : undefined
}

/** GitHub sends its JSON as the field `payload` of a form where it is told to. */
function formPayload(body: Buffer): JsonValue | undefined {
  if (!body.toString('latin1', 0, 8).startsWith('payload=')) return undefined
  return parseJsonBody(new URLSearchParams(body.toString()).get('payload') ?? '')
}

function textOf(payload: Payload, name: string): string | undefined {
  if (!('data' in payload)) return undefined
  const { data } = payload
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
  const value = Object.hasOwn(data, name) ? data[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
