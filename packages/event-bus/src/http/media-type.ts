/** A media type without its parameters, in lower case: `text/plain`. */
export function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.replace(/;.*$/s, '').trim().toLowerCase()
}

/** Whether a media type says JSON: `application/json` and everything with `+json`. */
export function isJson(contentType: string): boolean {
  return /[/+]json$/.test(mediaType(contentType) ?? '')
}

/** The `charset` parameter of a media type, in lower case. */
export function charset(contentType: string | undefined): string | undefined {
  const [, quoted, plain] =
    /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(contentType ?? '') ?? []
  return (quoted ?? plain)?.toLowerCase()
}

/** The same media type with the charset UTF-8 where it had another one. */
export function withUtf8(contentType: string): string {
  return charset(contentType) === undefined
    ? contentType
    : contentType.replace(/(;\s*charset\s*=\s*)(?:"[^"]*"|[^\s;]+)/i, '$1utf-8')
}
