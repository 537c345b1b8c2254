import { METHODS, STATUS_CODES } from 'unenv/node/internal/http/constants'
import { Agent, globalAgent } from './agent.js'
import { ClientRequest as Client } from './client-request.js'
import { IncomingMessage } from './incoming-message.js'
import { OutgoingMessage, validateHeaderName, validateHeaderValue } from './outgoing-message.js'
import { createServer, Server } from './servers.js'

const maxHeaderSize = 16_384

/** A request, made as Node makes it: from a URL, options and a callback. */
class ClientRequest extends Client {
  constructor(...args: unknown[]) {
    super(args)
  }
}

/** An answer of a server: there are none here. */
class ServerResponse extends OutgoingMessage {}

function request(...args: unknown[]): ClientRequest {
  return new ClientRequest(...args)
}

function get(...args: unknown[]): ClientRequest {
  return request(...args).end()
}

function setMaxIdleHTTPParsers(): void {}

export {
  Agent,
  ClientRequest,
  createServer,
  get,
  globalAgent,
  IncomingMessage,
  METHODS,
  maxHeaderSize,
  OutgoingMessage,
  request,
  Server,
  ServerResponse,
  STATUS_CODES,
  setMaxIdleHTTPParsers,
  validateHeaderName,
  validateHeaderValue,
}
export default {
  Agent,
  ClientRequest,
  createServer,
  get,
  globalAgent,
  IncomingMessage,
  METHODS,
  maxHeaderSize,
  OutgoingMessage,
  request,
  STATUS_CODES,
  Server,
  ServerResponse,
  setMaxIdleHTTPParsers,
  validateHeaderName,
  validateHeaderValue,
}
