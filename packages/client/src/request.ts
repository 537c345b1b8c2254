import { NexusClientError } from './errors.js'
import type { ResolvedClientOptions } from './options.js'
import { mismatch, type Shape } from './shape.js'

/** What differs between requests. */
export interface RequestInput {
  method?: 'GET' | 'POST' | 'DELETE'
  path: string
  query?: Record<string, string | number | undefined>
  contentType?: string
  /** Further headers. */
  headers?: Readonly<Record<string, string>>
  body?: unknown
}

/**
 * Sends one request and reads its whole answer, JSON of this shape, within the time limit.
 *
 * @throws NexusClientError for everything but a 2xx answer of the shape
 */
export async function requestJson<T>(
  options: ResolvedClientOptions,
  shape: Shape,
  input: RequestInput,
): Promise<T> {
  const text = await request(options, input)
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (cause) {
    throw new NexusClientError(
      'INVALID_RESPONSE',
      `Expected JSON from ${options.url}${input.path}, got ${JSON.stringify(text.slice(0, 80))}. Is this a Nexus server?`,
      { cause, url: options.url },
    )
  }
  const problem = mismatch(shape, answer, 'the answer')
  if (problem === undefined) return answer as T
  throw new NexusClientError(
    'INVALID_RESPONSE',
    `${options.url}${input.path} answered something else than a Nexus server does: ${problem}. Is this a Nexus server of the client's version?`,
    { url: options.url },
  )
}

/**
 * Sends one request and hands on the body of its answer, whose head must come within the time limit.
 *
 * @throws NexusClientError for everything but a 2xx answer with a body
 */
export async function requestBytes(
  options: ResolvedClientOptions,
  input: RequestInput,
): Promise<{ headers: Headers; body: ReadableStream<Uint8Array> }> {
  const { url, init } = prepared(options, input)
  const waiting = new AbortController()
  const timeout = setTimeout(
    () => waiting.abort(new DOMException('no answer', 'TimeoutError')),
    options.timeoutMs,
  )
  let response: Response
  try {
    response = await options.fetch(url, { ...init, signal: waiting.signal })
  } catch (cause) {
    throw connectionError(cause, options)
  } finally {
    clearTimeout(timeout)
  }
  if (!response.ok) throw statusError(response, await response.text().catch(() => ''), url)
  if (response.body) return { headers: response.headers, body: response.body }
  throw new NexusClientError('INVALID_RESPONSE', `Expected a body from ${url}, got none.`, {
    url: options.url,
  })
}

function prepared(
  options: ResolvedClientOptions,
  input: RequestInput,
): { url: string; init: RequestInit } {
  const { method = 'GET', path, query, contentType, body } = input
  const headers: Record<string, string> = { ...input.headers, accept: 'application/json' }
  if (contentType) headers['content-type'] = contentType
  if (options.token) headers.authorization = `Bearer ${options.token}`

  const url = `${options.url}${path}${search(query)}`
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  return { url, init }
}

async function request(options: ResolvedClientOptions, input: RequestInput): Promise<string> {
  const { url, init } = prepared(options, input)
  let response: Response
  let text: string
  try {
    response = await options.fetch(url, { ...init, signal: AbortSignal.timeout(options.timeoutMs) })
    text = await response.text()
  } catch (cause) {
    throw connectionError(cause, options)
  }
  if (!response.ok) throw statusError(response, text, url)
  return text
}

function search(query: RequestInput['query'] = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value))
  }
  return params.size > 0 ? `?${params}` : ''
}

function statusError(response: Response, text: string, url: string): NexusClientError {
  const { status, statusText } = response
  const { code, message } = serverError(text)
  const said = message ? `: ${message}` : ''
  return new NexusClientError(
    'HTTP_ERROR',
    `Server returned status: ${status} ${statusText}`.trimEnd() + said,
    {
      url,
      status,
      statusText,
      ...(code === undefined ? {} : { serverCode: code }),
      ...(message === undefined ? {} : { serverMessage: message }),
    },
  )
}

function serverError(text: string): { code?: string; message?: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } }
    return {
      ...(typeof error?.code === 'string' ? { code: error.code } : {}),
      ...(typeof error?.message === 'string' ? { message: error.message } : {}),
    }
  } catch {
    return {}
  }
}

function connectionError(cause: unknown, { url, timeoutMs }: ResolvedClientOptions): Error {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return new NexusClientError('TIMEOUT', `No answer within ${timeoutMs} ms`, { url, cause })
  }
  // Node hides the reason in `cause`; a browser says only "Failed to fetch".
  const reason = cause instanceof Error ? (cause.cause ?? cause) : cause
  const { code, message } = reason as { code?: unknown; message?: unknown }
  if (code === 'ECONNREFUSED') {
    return new NexusClientError('CONNECTION_REFUSED', 'Connection refused', { url, cause })
  }
  const why = typeof message === 'string' && message !== '' ? message : String(code ?? reason)
  return new NexusClientError('CONNECTION_FAILED', why, { url, cause })
}
