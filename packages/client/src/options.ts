import { guardLogger, isLogger, type Logger } from '@nexus/diagnostics'
import { NexusClientError } from './errors.js'

/** Options of {@link NexusClient}. */
export interface NexusClientOptions {
  /**
   * Base URL of the runtime; it may have a path, but no user name, password, query or fragment.
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
   * How often `publish` and `publishBatch` send their request before they reject, where the server cannot be reached, does
   * not answer in time or is busy (408, 429, 502, 503, 504). The server stores events of one source and id once.
   * @default 3
   */
  publishAttempts?: number
  /**
   * The longest wait before the second attempt, in milliseconds; it doubles with each attempt, and is shortened by up to
   * half at random.
   * @default 200
   */
  publishRetryDelayMs?: number
  /**
   * Told of each publish that is sent again.
   * @default nothing is logged
   */
  logger?: Logger | undefined
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
  publishAttempts: number
  publishRetryDelayMs: number
  logger: Logger
  fetch: typeof globalThis.fetch
}

const known = new Set([
  'url',
  'token',
  'timeoutMs',
  'fetch',
  'publishAttempts',
  'publishRetryDelayMs',
  'logger',
])

/** Checks options by hand: a client for browsers does not bring a schema library along. */
export function resolveOptions(options: NexusClientOptions): ResolvedClientOptions {
  const unknown = Object.keys(options).filter((key) => !known.has(key))
  if (unknown.length > 0) {
    throw invalid(`unknown option ${unknown.join(', ')}; expected ${[...known].join(', ')}`)
  }
  const {
    url = 'http://localhost:8080',
    token,
    timeoutMs = 10_000,
    publishAttempts = 3,
    publishRetryDelayMs = 200,
  } = options
  checkUrl(url)
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) {
    throw invalid(`timeoutMs must be a positive number, got ${String(timeoutMs)}`)
  }
  if (!Number.isSafeInteger(publishAttempts) || publishAttempts < 1) {
    throw invalid(`publishAttempts must be a whole number from 1, got ${String(publishAttempts)}`)
  }
  if (!Number.isFinite(publishRetryDelayMs) || publishRetryDelayMs < 0) {
    throw invalid(`publishRetryDelayMs must be a number from 0, got ${String(publishRetryDelayMs)}`)
  }
  if (options.logger !== undefined && !isLogger(options.logger)) {
    throw invalid('logger must have debug, info, warn and error, such as pino()')
  }
  return {
    url: url.replace(/\/+$/, ''),
    token,
    timeoutMs,
    publishAttempts,
    publishRetryDelayMs,
    logger: guardLogger(options.logger),
    // Called as a method of anything but the global object, a browser's fetch throws.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  }
}

/** What an address may hold beside the server is never part of a message: it may be a password or a token. */
function checkUrl(url: string): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw invalid(`url: expected an http or https URL, got ${JSON.stringify(withoutSecrets(url))}`)
  }
  const { username, password } = parsed
  if (username !== '' || password !== '') {
    throw invalid(
      `url: expected no user name or password in it, got ${JSON.stringify(withoutSecrets(url))}; the server takes a token: give it as the option token, or to the command as NEXUS_TOKEN`,
    )
  }
  if (/[?#]/.test(url)) {
    throw invalid(
      `url: expected no query and no fragment in it, got ${JSON.stringify(withoutSecrets(url))}; leave out what begins with "?" or "#"`,
    )
  }
}

function withoutSecrets(url: unknown): string {
  return String(url)
    .replace(/^([a-z]+:\/\/)?.*@/is, '$1***@')
    .replace(/[?#].*$/s, (rest) => `${rest[0]}***`)
}

function invalid(message: string): NexusClientError {
  return new NexusClientError('INVALID_OPTIONS', `NexusClient: ${message}`)
}
