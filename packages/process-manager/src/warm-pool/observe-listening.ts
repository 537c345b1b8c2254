import { type EventEmitter, errorMonitor } from 'node:events'
import { Server } from 'node:net'
import type { HostMessage, ParentMessage, RunRequest } from './host-messages.js'
import { remember } from './listening-servers.js'

/**
 * Tells the parent when a server of the script listens, or cannot. On the shared port, the socket comes from the
 * parent, as it does for a worker of `node:cluster`, but connections never pass through the parent.
 */
export function observeListening(
  { port, sharesPort }: RunRequest,
  send: (message: HostMessage) => void,
): void {
  const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server
  Server.prototype.listen = function observed(this: Server, ...args: unknown[]) {
    const wanted = listenTarget(args)
    this.once('listening', () => {
      const address = this.address()
      if (typeof address === 'object' && address !== null) {
        remember(this, { host: wanted?.host ?? null, port: address.port })
        send({ type: 'nexus:listening', port: address.port })
      }
    })
    ;(this as EventEmitter).once(errorMonitor, (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'listen' && wanted !== null) {
        send({ type: 'nexus:listen-failed', port: wanted.port, code: error.code ?? 'UNKNOWN' })
      }
    })
    if (!sharesPort || wanted === null || wanted.port !== port) return listen.apply(this, args)
    if (wanted.callback !== undefined) this.once('listening', wanted.callback)
    askForSocket(wanted, send).then(
      (socket) => listen.call(this, socket, wanted.backlog),
      (error: unknown) => this.emit('error', error),
    )
    return this
  } as Server['listen']
}

interface ListenTarget {
  port: number
  host: string | null
  backlog: number | undefined
  callback: (() => void) | undefined
}

/** What `server.listen(…)` was asked for, in any of its forms; null where it is not a TCP port. */
function listenTarget(args: readonly unknown[]): ListenTarget | null {
  const [first, ...rest] = args
  const options = (typeof first === 'object' && first !== null ? first : { port: first }) as {
    port?: unknown
    host?: unknown
    backlog?: unknown
    path?: unknown
    fd?: unknown
  }
  const port = Number(options.port ?? Number.NaN)
  if (!Number.isInteger(port) || options.path !== undefined || options.fd !== undefined) return null
  return {
    port,
    host: find(options.host, rest, (value) => typeof value === 'string'),
    backlog: find(options.backlog, rest, (value) => typeof value === 'number') ?? undefined,
    callback: find(undefined, args, (value) => typeof value === 'function') ?? undefined,
  }
}

function find<T>(
  option: unknown,
  positional: readonly unknown[],
  fits: (value: unknown) => boolean,
): T | null {
  return ([option, ...positional].find(fits) as T | undefined) ?? null
}

let requests = 0

function askForSocket(
  { host, port }: ListenTarget,
  send: (message: HostMessage) => void,
): Promise<unknown> {
  const id = ++requests
  return new Promise((resolve, reject) => {
    const answered = (message: ParentMessage, socket: unknown) => {
      if (message.type !== 'nexus:listen-answer' || message.id !== id) return
      process.off('message', answered)
      if (message.code === null) resolve(socket)
      else reject(listenError(message.code, host, port))
    }
    process.on('message', answered)
    send({ type: 'nexus:listen', id, host, port })
  })
}

function listenError(code: string, host: string | null, port: number) {
  const where = `${host ?? '::'}:${port}`
  return Object.assign(new Error(`listen ${code}: ${where}`), {
    code,
    syscall: 'listen',
    address: host ?? '::',
    port,
  })
}
