import { nodeError } from '../node-error.js'

/** `ECONNRESET`: the connection ended before its end. */
export function hungUp(message: string, cause?: unknown): Error {
  const error = nodeError(Error, 'ECONNRESET', message)
  if (cause !== undefined) error.cause = cause
  return error
}

/** Codes of the host's client, and what Node's own calls them. */
const CODES: Record<string, string> = {
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_HEADERS_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_BODY_TIMEOUT: 'ETIMEDOUT',
}

const LOOKUP = ['ENOTFOUND', 'EAI_AGAIN']

/** What a request fails with whose fetch failed. */
export function connectionError(cause: unknown, hostname: string, port: string): unknown {
  const { code: given } = cause as { code?: string }
  // A refused permission and a limit of the call say what they are.
  if (!(cause instanceof TypeError) || given === undefined) return cause
  const code = CODES[given] ?? given
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return hungUp('socket hang up', cause)
  if (!/^E[A-Z_]+$/.test(code)) return cause
  const isLookup = LOOKUP.includes(code)
  const [syscall, what] = isLookup ? ['getaddrinfo', hostname] : ['connect', `${hostname}:${port}`]
  const fields = { syscall, ...(isLookup ? { hostname } : { port: Number(port) }), cause }
  return nodeError(Error, code, `${syscall} ${code} ${what}`, fields)
}
