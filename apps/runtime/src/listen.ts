import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { RuntimeError } from './errors.js'

/**
 * Starts to accept connections.
 *
 * @returns the address to show: `http://127.0.0.1:8080`
 * @throws RuntimeError `PORT_IN_USE`, `LISTEN_FAILED`
 */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new RuntimeError(
        'PORT_IN_USE',
        `port ${port} on ${host} is in use by another program; stop it, or choose another port with --port or NEXUS_PORT`,
        { cause },
      )
    }
    throw new RuntimeError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${message}`, {
      cause,
    })
  }
  const { port: bound } = server.server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
}
