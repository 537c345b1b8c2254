import { HttpError } from './http-error.js'

// Far beyond real data, far below where JSON.stringify and the sandbox run out of stack.
const maxDepth = 256

/**
 * Parses a request body.
 *
 * @throws HttpError 400 for anything that is not JSON in UTF-8, or nested too deeply
 */
export function parseJsonBody(body: Buffer): unknown {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    const why = body.length === 0 ? 'it is empty' : (cause as Error).message
    throw new HttpError(400, 'INVALID_JSON', `The body is not JSON: ${why}`, { cause })
  }
  assertDepth(value)
  return value
}

/** @throws HttpError 400 for a value nested too deeply */
export function assertDepth(value: unknown): void {
  if (!deeperThan(value, maxDepth)) return
  throw new HttpError(400, 'TOO_DEEP', `The body is nested deeper than ${maxDepth} levels.`)
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => deeperThan(inner, levels - 1))
}
