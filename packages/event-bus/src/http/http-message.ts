import { EventBusError } from '../errors.js'

/** An HTTP request or response. */
export interface HttpMessage {
  /** Names in lower case, as Node has them. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** A text is taken as UTF-8. */
  body: string | Uint8Array
}

/**
 * The value of a header that may be sent once; undefined where it was not sent.
 *
 * @throws EventBusError `INVALID_EVENT` where it was sent several times: which of them counts would be a guess
 */
export function header(headers: HttpMessage['headers'], name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (typeof value === 'string' || value === undefined) return value
  if (value.length < 2) return value[0]
  throw new EventBusError(
    'INVALID_EVENT',
    `${name}: expected the header once, got it ${value.length} times`,
    { details: { attribute: name } },
  )
}
