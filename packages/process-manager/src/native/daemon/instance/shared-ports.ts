import { lookup } from 'node:dns/promises'
import net, { isIPv6 } from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { ListenRequest, ParentMessage } from '../../../warm-pool/host-messages.js'

/** A socket of the event loop, bound to an address; what `child.send` and `server.listen` take as a handle. */
export interface BoundSocket {
  getsockname(out: { port?: number }): number
  close(): void
}

/** What `node:cluster` makes the sockets of its workers with; part of `node:net` since 0.12, but not documented. */
const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle(
    address: string | null,
    port: number,
    type: 4 | 6 | undefined,
  ): BoundSocket | number
}

/**
 * The sockets that the instances of one service listen on together. They are bound here and never accept here, so the
 * connections of a service do not depend on the daemon.
 */
export class SharedPorts {
  readonly #sockets = new Map<string, BoundSocket>()

  /** Gives a process the socket that it asks for, or says why there is none. */
  async answer(
    { id, host, port }: ListenRequest,
    send: (answer: ParentMessage, socket?: BoundSocket) => void,
  ): Promise<void> {
    try {
      const socket = await this.#socket(host, port)
      send({ type: 'nexus:listen-answer', id, code: null }, socket)
    } catch (error) {
      const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException
      send({ type: 'nexus:listen-answer', id, code })
    }
  }

  /** Takes over the socket that a process listens on already. */
  async adopt(host: string | null, port: number, socket: BoundSocket): Promise<void> {
    this.#sockets.set(await keyOf(host, port), socket)
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }

  /** Bound at the first call for an address. */
  async #socket(host: string | null, port: number): Promise<BoundSocket> {
    const key = await keyOf(host, port)
    const socket = this.#sockets.get(key) ?? bind(await addressOf(host), port)
    this.#sockets.set(key, socket)
    return socket
  }
}

async function addressOf(host: string | null): Promise<string | null> {
  return host === null ? null : (await lookup(host)).address
}

async function keyOf(host: string | null, port: number): Promise<string> {
  return `${await addressOf(host)}:${port}`
}

function bind(address: string | null, port: number): BoundSocket {
  const type = address === null ? undefined : isIPv6(address) ? 6 : 4
  const socket = createServerHandle(address, port, type)
  if (typeof socket === 'number') throw systemError(socket)
  // A taken port shows only when the socket is asked where it is: listening on it would take any other port.
  const bound: { port?: number } = {}
  const failure = socket.getsockname(bound)
  if (failure === 0 && bound.port === port) return socket
  socket.close()
  throw failure === 0
    ? Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
    : systemError(failure)
}

function systemError(errno: number) {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(code), { code })
}
