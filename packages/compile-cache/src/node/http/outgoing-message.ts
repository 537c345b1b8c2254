import Stream from 'readable-stream/lib/stream.js'
import { invalidType, nodeError } from '../node-error.js'

const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/

export type HeaderValue = string | number | readonly string[]

/** @throws ERR_INVALID_HTTP_TOKEN */
export function validateHeaderName(name: unknown, label = 'Header name'): asserts name is string {
  if (typeof name === 'string' && TOKEN.test(name)) return
  const message = `${label} must be a valid HTTP token ["${String(name)}"]`
  throw nodeError(TypeError, 'ERR_INVALID_HTTP_TOKEN', message)
}

/** @throws ERR_HTTP_INVALID_HEADER_VALUE, ERR_INVALID_CHAR */
export function validateHeaderValue(name: string, value: unknown): void {
  if (value === undefined) {
    const message = `Invalid value "${value}" for header "${name}"`
    throw nodeError(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', message)
  }
  for (const text of Array.isArray(value) ? value : [value]) {
    if (!FORBIDDEN.test(String(text))) continue
    const message = `Invalid character in header content ["${name}"]`
    throw nodeError(TypeError, 'ERR_INVALID_CHAR', message)
  }
}

const { Writable } = Stream

/** What has headers and a body to send. */
export class OutgoingMessage extends Writable {
  readonly #headers = new Map<string, { name: string; value: HeaderValue }>()
  headersSent = false
  sendDate = false
  shouldKeepAlive = true
  chunkedEncoding = false

  constructor() {
    super({ autoDestroy: false })
  }
  get finished(): boolean {
    return this.writableEnded
  }
  setHeader(name: string, value: HeaderValue): this {
    if (this.headersSent) throw sent('set')
    validateHeaderName(name)
    validateHeaderValue(name, value)
    this.#headers.set(name.toLowerCase(), { name, value })
    return this
  }
  setHeaders(headers: Headers | Map<string, HeaderValue>): this {
    if (typeof headers?.forEach !== 'function' || Array.isArray(headers)) {
      throw invalidType('headers', 'an instance of Headers or Map', headers)
    }
    headers.forEach((value: HeaderValue, name: string) => {
      this.setHeader(name, value)
    })
    return this
  }
  appendHeader(name: string, value: string | readonly string[]): this {
    const known = this.getHeader(name)
    return this.setHeader(name, known === undefined ? value : [known, value].flat().map(String))
  }
  getHeader(name: string): HeaderValue | undefined {
    if (typeof name !== 'string') throw invalidType('name', 'of type string', name)
    return this.#headers.get(name.toLowerCase())?.value
  }
  hasHeader(name: string): boolean {
    return this.getHeader(name) !== undefined
  }
  removeHeader(name: string): void {
    if (typeof name !== 'string') throw invalidType('name', 'of type string', name)
    if (this.headersSent) throw sent('remove')
    this.#headers.delete(name.toLowerCase())
  }
  getHeaderNames(): string[] {
    return [...this.#headers.keys()]
  }
  getRawHeaderNames(): string[] {
    return [...this.#headers.values()].map(({ name }) => name)
  }
  getHeaders(): Record<string, HeaderValue> {
    const headers = Object.create(null)
    for (const [name, { value }] of this.#headers) headers[name] = value
    return headers
  }
  addTrailers(): void {}
  override cork(): void {}
  override uncork(): void {}
}

function sent(what: string): Error {
  const message = `Cannot ${what} headers after they are sent to the client`
  return nodeError(Error, 'ERR_HTTP_HEADERS_SENT', message)
}
