import { SecureAgent as Agent, globalSecureAgent as globalAgent } from './agent.js'
import { ClientRequest } from './client-request.js'
import { createServer, Server } from './servers.js'

function request(...args: unknown[]): ClientRequest {
  return new ClientRequest(args, globalAgent)
}

function get(...args: unknown[]): ClientRequest {
  return request(...args).end()
}

export { Agent, createServer, get, globalAgent, request, Server }
export default { Agent, createServer, get, globalAgent, request, Server }
