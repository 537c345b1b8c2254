import type { EventInput, JsonValue } from '@nexus/event-bus'
import { type HttpMessage, header } from '@nexus/event-bus/http'
import { HttpError } from '../answers/http-error.js'

/** Where a webhook names its type and id. */
export interface WebhookHeaders {
  typeHeader: string
  idHeader: string
}

/**
 * Makes an event of any JSON. A type in the header leaves the whole body as data; otherwise the body names
 * `type`, and may name `id`, `source` and `data` (without `data` the whole body is the data).
 *
 * @throws HttpError 400 when neither names a type; EventBusError `INVALID_EVENT` for a header that was sent twice
 */
export function webhookEvent(
  headers: HttpMessage['headers'],
  body: JsonValue,
  { typeHeader, idHeader }: WebhookHeaders,
): EventInput {
  const id = text(header(headers, idHeader))
  const type = text(header(headers, typeHeader))
  if (type !== undefined) return { type, data: body, source: '/webhook', ...(id && { id }) }

  const fields = isObject(body) ? body : {}
  const named = text(fields.type)
  if (named === undefined) {
    throw new HttpError(
      400,
      'TYPE_REQUIRED',
      `The event has no type: name it in the header ${typeHeader} or as "type" in the body.`,
    )
  }
  const ownId = id ?? text(fields.id)
  return {
    type: named,
    data: 'data' in fields ? fields.data : body,
    source: text(fields.source) ?? '/webhook',
    ...(ownId && { id: ownId }),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
