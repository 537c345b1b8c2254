import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'

interface Listening {
  host: string | null
  port: number
}

/** The servers of the process that listen on a port, and their connections. */
const servers = new Map<Server, Listening>()
const connections = new Set<Socket>()
let drained: (() => void) | undefined

/** Remembers a server that listens from now on. */
export function remember(server: Server, listening: Listening): void {
  servers.set(server, listening)
  server.once('close', () => servers.delete(server))
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => {
      connections.delete(socket)
      if (connections.size === 0) drained?.()
    })
  })
}

/** The socket of the server that listens on a port; undefined where none does. */
export function socketOf(port: number): { host: string | null; handle: unknown } | undefined {
  for (const [server, listening] of servers) {
    // Not documented, and what `node:cluster` shares.
    const { _handle: handle } = server as Server & { _handle: unknown }
    if (listening.port === port && handle) return { host: listening.host, handle }
  }
  return undefined
}

/**
 * Stops accepting connections. Those that there are go on: each answer over HTTP from now on closes its own.
 *
 * @param done called once none is left
 */
export function drain(done: () => void): void {
  drained = done
  for (const server of servers.keys()) {
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false
    })
    closeForNew(server)
  }
  if (connections.size === 0) done()
}

/** `close` of an HTTP server would also end connections that wait for their next request, which may be on its way. */
function closeForNew(server: Server) {
  const { _handle: handle } = server as unknown as { _handle: { close(): void } | null }
  handle?.close()
}
