import { CONTENT_TYPES, type ExpositionFormat } from './format.js'

/** The format to answer a scrape with, and its `Content-Type`. */
export interface NegotiatedFormat {
  /** The format to answer in. */
  format: ExpositionFormat
  /** The `content-type` of that answer. */
  contentType: string
}

/**
 * Picks the format a scraper prefers from its `Accept` header; Prometheus text when it names neither.
 *
 * @param accept the header, for example `application/openmetrics-text;version=1.0.0,text/plain;q=0.5`
 *
 * @example
 * ```ts
 * const { format, contentType } = negotiateFormat(request.headers.accept)
 * response.setHeader('Content-Type', contentType)
 * await pipeline(registry.scrape({ format }), response)
 * ```
 */
export function negotiateFormat(accept: string | undefined): NegotiatedFormat {
  const weights: Record<ExpositionFormat, number> = { text: 0, openmetrics: 0 }
  for (const range of (accept ?? '').split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const parameter = (name: string) =>
      parameters.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1)
    const format = formatOf(type ?? '', parameter('version')?.replaceAll('"', ''))
    if (format) weights[format] = Math.max(weights[format], weight(parameter('q')))
  }
  const format =
    weights.openmetrics > 0 && weights.openmetrics >= weights.text ? 'openmetrics' : 'text'
  return { format, contentType: CONTENT_TYPES[format] }
}

function formatOf(type: string, version: string | undefined): ExpositionFormat | undefined {
  if (type === 'application/openmetrics-text') {
    return version === undefined || version === '1.0.0' || version === '0.0.1'
      ? 'openmetrics'
      : undefined
  }
  return type === 'text/plain' || type === 'text/*' || type === '*/*' ? 'text' : undefined
}

function weight(q: string | undefined): number {
  if (q === undefined) return 1
  const value = Number(q)
  return value >= 0 && value <= 1 ? value : 0
}
