import { nodeError } from '../node-error.js'

/** What the sandbox cannot do, and what it can. */
export function notHere(what: string): Error {
  return nodeError(
    Error,
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    `${what} is not possible in the sandbox: http and https make requests over fetch, to hosts that a net: capability names`,
  )
}
