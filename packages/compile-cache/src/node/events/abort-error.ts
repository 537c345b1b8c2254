import { nodeError } from '../node-error.js'

/** What an operation fails with whose signal aborted. */
export function abortError(signal: AbortSignal | undefined): Error {
  const error = nodeError(Error, 'ABORT_ERR', 'The operation was aborted')
  error.name = 'AbortError'
  if (signal?.reason !== undefined) {
    Object.defineProperty(error, 'cause', {
      value: signal.reason,
      writable: true,
      configurable: true,
    })
  }
  return error
}
