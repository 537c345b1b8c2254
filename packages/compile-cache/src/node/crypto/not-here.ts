import { nodeError } from '../node-error.js'

/** The error of what Node has and the sandbox has not; `instead` says what to use. */
export function notHere(what: string, instead: string): Error {
  return nodeError(
    Error,
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    `${what} is not possible in the sandbox: ${instead}`,
  )
}
