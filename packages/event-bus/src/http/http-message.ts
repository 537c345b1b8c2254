/** Headers (names in lower case, as Node has them) and body of an HTTP request or response. */
export interface HttpMessage {
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  body: string | Uint8Array
}

/** The value of a header; the first one where it was sent several times. */
export function header(headers: HttpMessage['headers'], name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return typeof value === 'string' || value === undefined ? value : value[0]
}
