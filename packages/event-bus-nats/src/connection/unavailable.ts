import { EventBusError } from '@nexus/event-bus'
import { parseAddress } from './open-connection.js'

/** Where the servers are, without user and password. */
export function redactServers(servers: readonly string[]): string {
  return servers.map((server) => parseAddress(server).host).join(', ')
}

/** The error for servers that cannot be reached or refuse. */
export function unavailable(servers: readonly string[], cause: unknown): EventBusError {
  if (cause instanceof EventBusError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new EventBusError(
    'STORE_UNAVAILABLE',
    `NATS at ${redactServers(servers)}: ${reason}; the bus reconnects by itself, ask again`,
    { details: { servers: redactServers(servers) }, cause },
  )
}
