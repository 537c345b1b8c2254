import { EventEmitter } from '../events/events.js'
import { invalidType } from '../node-error.js'
import { notHere } from './not-here.js'

interface AgentOptions {
  keepAlive?: boolean
  keepAliveMsecs?: number
  maxSockets?: number
  maxTotalSockets?: number
  maxFreeSockets?: number
  scheduling?: string
  [name: string]: unknown
}

/** Settings of connections, which are the host's: only `protocol` and `defaultPort` say something. */
export class Agent extends (EventEmitter as unknown as new () => object) {
  static defaultMaxSockets = Number.POSITIVE_INFINITY
  readonly options: AgentOptions
  defaultPort = 80
  protocol = 'http:'
  readonly requests = Object.create(null)
  readonly sockets = Object.create(null)
  readonly freeSockets = Object.create(null)
  keepAlive: boolean
  keepAliveMsecs: number
  maxSockets: number
  maxFreeSockets: number
  maxTotalSockets: number
  scheduling: string
  totalSocketCount = 0

  constructor(options: AgentOptions = {}) {
    super()
    this.options = { __proto__: null, noDelay: true, path: null, ...options } as AgentOptions
    this.keepAlive = options.keepAlive ?? false
    this.keepAliveMsecs = options.keepAliveMsecs ?? 1000
    this.maxSockets = options.maxSockets ?? Agent.defaultMaxSockets
    this.maxFreeSockets = options.maxFreeSockets ?? 256
    this.maxTotalSockets = options.maxTotalSockets ?? Number.POSITIVE_INFINITY
    this.scheduling = options.scheduling ?? 'lifo'
  }
  /** Requests reach the host without it; an agent that has another one expects to open connections. */
  addRequest(): void {}
  createSocket(): never {
    throw notHere('Opening a connection')
  }
  createConnection(): never {
    throw notHere('Opening a connection')
  }
  keepSocketAlive(): boolean {
    return false
  }
  reuseSocket(): void {}
  removeSocket(): void {}
  getName({ host = 'localhost', port = '', localAddress = '', family }: AgentOptions = {}): string {
    const name = `${host}:${port}:${localAddress}`
    return family === 4 || family === 6 ? `${name}:${family}` : name
  }
  destroy(): void {}
}

/** Settings of connections with TLS. */
export class SecureAgent extends Agent {
  override defaultPort = 443
  override protocol = 'https:'
  readonly maxCachedSessions = 100
}
Object.defineProperty(SecureAgent, 'name', { value: 'Agent' })

export const globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 })
export const globalSecureAgent = new SecureAgent({
  keepAlive: true,
  scheduling: 'lifo',
  timeout: 5000,
})

/** @throws where requests of the agent would not go the way that it wants */
export function checkAgent(agent: unknown): void {
  const { addRequest, createSocket } = agent as Agent
  if (typeof addRequest !== 'function') {
    throw invalidType('options.agent', 'one of Agent-like Object, undefined, or false', agent)
  }
  const { prototype } = Agent
  if (addRequest !== prototype.addRequest || createSocket !== prototype.createSocket) {
    throw notHere('An agent that opens connections of its own, as for a proxy,')
  }
}
