import { NexusClientError } from './errors.js'

/** Options of {@link NexusClient}. */
export interface NexusClientOptions {
  /**
   * Base URL of the runtime.
   * @default 'http://localhost:8080'
   */
  url?: string
  /** Sent as `authorization: Bearer …`; needed when the server has a `NEXUS_TOKEN`. */
  token?: string
  /**
   * Time a request may take, its body included, in milliseconds.
   * @default 10_000
   */
  timeoutMs?: number
  /**
   * The `fetch` to use.
   * @default globalThis.fetch
   */
  fetch?: typeof globalThis.fetch
}

/** Options with every default applied and `url` free of a trailing slash. */
export interface ResolvedClientOptions {
  url: string
  token: string | undefined
  timeoutMs: number
  fetch: typeof globalThis.fetch
}

const known = new Set(['url', 'token', 'timeoutMs', 'fetch'])

/** Checks options by hand: a client for browsers does not bring a schema library along. */
export function resolveOptions(options: NexusClientOptions): ResolvedClientOptions {
  const unknown = Object.keys(options).filter((key) => !known.has(key))
  if (unknown.length > 0) {
    throw invalid(`unknown option ${unknown.join(', ')}; expected ${[...known].join(', ')}`)
  }
  const { url = 'http://localhost:8080', token, timeoutMs = 10_000 } = options
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw invalid(`url must be an http or https URL, got ${JSON.stringify(url)}`)
  }
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) {
    throw invalid(`timeoutMs must be a positive number, got ${String(timeoutMs)}`)
  }
  return {
    url: url.replace(/\/+$/, ''),
    token,
    timeoutMs,
    // Called as a method of anything but the global object, a browser's fetch throws.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  }
}

function invalid(message: string): NexusClientError {
  return new NexusClientError('INVALID_OPTIONS', `NexusClient: ${message}`)
}
