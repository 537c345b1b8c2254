/// <reference path="./pm2-axon.d.ts" />
import axon, { type RequestSocket } from 'pm2-axon'
import rpc from 'pm2-axon-rpc'
import { ProcessManagerError } from '../errors.js'

interface PendingCall {
  method: string
  settle(result: { value: unknown } | { error: ProcessManagerError }): void
}

/**
 * One connection to a daemon, for any number of calls at once. Every call settles: with its answer, at its
 * timeout, or when the connection is lost. It keeps the process alive only while calls are under way.
 */
export class Pm2Connection {
  readonly #path: string
  readonly #socket: RequestSocket
  readonly #client: InstanceType<typeof rpc.Client>
  readonly #pending = new Set<PendingCall>()
  #closed = false
  #retired = false

  private constructor(path: string) {
    this.#path = path
    this.#socket = axon.socket('req')
    // The library would connect again for ever, and hold calls back meanwhile.
    this.#socket.set('retry timeout', 0)
    this.#client = new rpc.Client(this.#socket)
  }

  /**
   * Connects, and waits for a first answer: a stopped daemon's socket accepts connections too.
   *
   * @throws ProcessManagerError `DAEMON_UNREACHABLE` when no daemon listens, `DAEMON_UNRESPONSIVE` when it does not
   *   answers, `CONNECTION_FAILED` for everything else, such as missing rights
   */
  static async open(path: string, timeoutMs: number): Promise<Pm2Connection> {
    const deadline = performance.now() + timeoutMs
    const connection = new Pm2Connection(path)
    try {
      await connection.#connect(timeoutMs)
      await connection.call('ping', [{}], Math.max(1, deadline - performance.now()))
      return connection
    } catch (error) {
      connection.close()
      throw hasCode(error, 'TIMEOUT') ? unresponsive(path, timeoutMs, error) : error
    }
  }

  get callsUnderWay(): number {
    return this.#pending.size
  }

  /** Calls a method of the daemon with JSON arguments. */
  call(method: string, args: readonly unknown[], timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const [stream] = this.#socket.socks
      // Without a stream the library would keep the call for a next connection that never comes.
      if (this.#closed || !stream) return reject(lost(this.#path, method))
      const timer = setTimeout(
        () => call.settle({ error: timedOut(this.#path, method, timeoutMs) }),
        timeoutMs,
      )
      const call: PendingCall = {
        method,
        settle: (result) => {
          if (!this.#pending.delete(call)) return
          clearTimeout(timer)
          if (this.#pending.size === 0) this.#rest()
          if ('error' in result) reject(result.error)
          else resolve(result.value)
        },
      }
      this.#pending.add(call)
      stream.ref()
      this.#client.call(method, ...args, (cause, value) => {
        call.settle(cause ? { error: refused(this.#path, method, cause) } : { value })
      })
    })
  }

  /** Hears once that the daemon has gone or the connection was closed. */
  onClosed(listener: () => void): void {
    this.#socket.once('close', listener)
  }

  /** Closes it once the calls under way have settled. */
  retire(): void {
    this.#retired = true
    if (this.#pending.size === 0) this.close()
  }

  /** Closes it now; calls under way fail. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
    for (const call of [...this.#pending]) {
      call.settle({ error: lost(this.#path, call.method) })
    }
  }

  #rest(): void {
    this.#socket.socks[0]?.unref()
    if (this.#retired) this.close()
  }

  #connect(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(unresponsive(this.#path, timeoutMs, undefined)),
        timeoutMs,
      )
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer)
        reject(connectFailure(this.#path, error))
      }
      // The library tells errors it deems ordinary by another event than the rest, which would be thrown.
      this.#socket.on('error', fail).on('ignored error', fail)
      this.#socket.once('close', () => this.close())
      this.#socket.once('connect', () => {
        clearTimeout(timer)
        resolve()
      })
      this.#socket.connect(this.#path)
    })
  }
}

/** Whether `error` is one of ours with that code. */
export function hasCode(error: unknown, code: ProcessManagerError['code']): boolean {
  return error instanceof ProcessManagerError && error.code === code
}

function connectFailure(path: string, cause: NodeJS.ErrnoException): ProcessManagerError {
  const absent = cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED'
  return new ProcessManagerError(
    absent ? 'DAEMON_UNREACHABLE' : 'CONNECTION_FAILED',
    absent
      ? `PM2 at ${path}: expected its daemon to listen, but none runs; start it with "pm2 ping"`
      : `PM2 at ${path}: cannot connect: ${cause.message}`,
    { details: { path }, cause },
  )
}

function unresponsive(path: string, timeoutMs: number, cause: unknown): ProcessManagerError {
  return new ProcessManagerError(
    'DAEMON_UNRESPONSIVE',
    `PM2 at ${path}: expected its daemon to answer within ${timeoutMs} ms, but it is silent; see whether it is stopped or overloaded`,
    { details: { path, timeoutMs }, cause },
  )
}

function timedOut(path: string, method: string, timeoutMs: number): ProcessManagerError {
  return new ProcessManagerError(
    'TIMEOUT',
    `PM2 at ${path}: expected an answer to ${method} within ${timeoutMs} ms, got none; it may still be carried out`,
    { details: { path, method, timeoutMs } },
  )
}

function lost(path: string, method: string): ProcessManagerError {
  return new ProcessManagerError(
    'DAEMON_LOST',
    `PM2 at ${path}: the connection ended before ${method} was answered; it may have been carried out`,
    { details: { path, method } },
  )
}

function refused(path: string, method: string, cause: Error): ProcessManagerError {
  return new ProcessManagerError(
    'DAEMON_REFUSED',
    `PM2 at ${path} refused ${method}: ${cause.message}`,
    { details: { path, method }, cause },
  )
}
