import punycode from 'punycode/punycode.es6.js'
import unenv from 'unenv/node/url'
import { assertString } from '../node-error.js'

const { URL, URLSearchParams } = globalThis

/** As the URL parser reads a host. */
function domainToASCII(domain: string): string {
  try {
    return new URL(`ws://${domain}`).hostname
  } catch {
    return ''
  }
}

function domainToUnicode(domain: string): string {
  return punycode.toUnicode(domainToASCII(domain))
}

const FIELDS = [
  'protocol',
  'slashes',
  'auth',
  'host',
  'port',
  'hostname',
  'hash',
  'search',
  'query',
  'pathname',
  'path',
  'href',
] as const

/** The library's own has its fields in another order, which shows when they are listed. */
function parse(text: string, parseQuery?: boolean, slashesDenoteHost?: boolean): object {
  assertString(text, 'url')
  const parsed = (unenv.parse as unknown as (...args: unknown[]) => Record<string, unknown>)(
    text,
    parseQuery,
    slashesDenoteHost,
  )
  const ordered: Record<string, unknown> = Object.create(Object.getPrototypeOf(parsed))
  for (const field of FIELDS) ordered[field] = parsed[field]
  return ordered
}

const url = { ...unenv, parse, URL, URLSearchParams, domainToASCII, domainToUnicode }
const { fileURLToPath, format, pathToFileURL, resolve, resolveObject, Url, urlToHttpOptions } =
  url as typeof url & { Url: unknown; resolveObject: unknown }

export {
  domainToASCII,
  domainToUnicode,
  fileURLToPath,
  format,
  parse,
  pathToFileURL,
  resolve,
  resolveObject,
  URL,
  URLSearchParams,
  Url,
  urlToHttpOptions,
}
export default url
