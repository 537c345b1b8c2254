import { nodeError } from '../node-error.js'

function refusal(): Error {
  return nodeError(
    Error,
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    'A handler cannot be a server: it is called with an event. Bind it to HTTP in nexus.yaml, and return the answer',
  )
}

/** @throws always */
export class Server {
  constructor() {
    throw refusal()
  }
}

/** @throws always */
export function createServer(): never {
  throw refusal()
}
