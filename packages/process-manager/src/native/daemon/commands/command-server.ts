import { rmSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { ProcessManagerError } from '../../../errors.js'
import { readJsonLines } from '../../json-lines.js'
import { type Methods, PROTOCOL, type Reply, type Request } from '../../protocol.js'
import { MAX_REQUEST_CHARACTERS, parseParams, parseRequest } from './request-schema.js'

/** What the daemon does for each method; `gone` aborts when the client who asked is no longer there. */
export type Handlers = {
  [M in keyof Methods]: (
    params: Methods[M]['params'],
    gone: AbortSignal,
  ) => Methods[M]['result'] | Promise<Methods[M]['result']>
}

/** Answers the clients on the daemon's socket. */
export class CommandServer {
  #server: Server | undefined
  #inode: number | undefined
  readonly #sockets = new Set<Socket>()
  requests = 0

  /** @param answering called before each answer, so that what a client reads next is up to date; what goes wrong just now */
  constructor(
    private readonly address: string,
    private readonly handlers: Handlers,
    private readonly answering: () => readonly string[],
  ) {}

  get clients(): number {
    return this.#sockets.size
  }

  /** Only for the holder of the daemon's lock: a socket that is there already belonged to a dead one. */
  async listen(): Promise<void> {
    if (process.platform !== 'win32') rmSync(this.address, { force: true })
    const server = createServer((socket) => this.#serve(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.address, resolve)
    })
    server.on('error', () => {})
    this.#server = server
    this.#inode = this.#currentInode()
  }

  /** Whether clients can still find the socket; it may have been removed. */
  get reachable(): boolean {
    return process.platform === 'win32' || this.#currentInode() === this.#inode
  }

  close(): void {
    this.#server?.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Listens at a new socket; clients that are connected stay so. */
  async reopen(): Promise<void> {
    this.#server?.close()
    await this.listen()
  }

  #serve(socket: Socket) {
    const gone = new AbortController()
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#sockets.delete(socket)
      gone.abort(new ProcessManagerError('CLOSED', 'The client is gone.'))
    })
    const send = (reply: Reply) => socket.write(`${JSON.stringify(reply)}\n`)
    send({ hello: { protocol: PROTOCOL, pid: process.pid } })
    readJsonLines(
      socket,
      (message) => {
        const request = parseRequest(message)
        if (request) void this.#answer(request, send, gone.signal)
        else socket.destroy()
      },
      () => socket.destroy(),
      MAX_REQUEST_CHARACTERS,
    )
  }

  async #answer({ id, method, params }: Request, send: (reply: Reply) => void, gone: AbortSignal) {
    this.requests++
    send({ id, received: true })
    try {
      const checked = parseParams(method, params)
      const handler = this.handlers[method] as (params: unknown, gone: AbortSignal) => unknown
      const result = await handler(checked, gone)
      const warnings = this.answering()
      send({ id, result: result ?? null, warnings })
    } catch (error) {
      this.answering()
      const { code, details } = error as Partial<ProcessManagerError>
      const known = error instanceof ProcessManagerError
      send({
        id,
        error: {
          code: known && code !== undefined ? code : 'INTERNAL_ERROR',
          message: (error as Error).message,
          details: known ? (details ?? {}) : {},
        },
      })
    }
  }

  #currentInode() {
    return statSync(this.address, { throwIfNoEntry: false })?.ino
  }
}
