import { join } from 'node:path'
import { ProcessManagerError } from '../errors.js'
import { CommandLock } from '../locks/command-lock.js'
import { parseOptions } from '../parse-options.js'
import {
  type ConnectionPoolOptions,
  connectionPoolSchema,
  type ResolvedConnectionPoolOptions,
} from './connection-pool-options.js'
import { hasCode, Pm2Connection } from './pm2-connection.js'
import { callSocketOf, startPm2Daemon } from './pm2-daemon.js'

/** Options of `ConnectionPool.call`. */
export interface Pm2CallOptions {
  /** What this call may take. @default the pool's `callTimeoutMs` */
  timeoutMs?: number | undefined
  /** It changes nothing, so that it may be sent once more when the connection is lost under it. @default false */
  readOnly?: boolean | undefined
}

/** What a `ConnectionPool` has done so far. */
export interface ConnectionPoolStats {
  /** Whether there is a connection to the daemon of PM2. */
  connected: boolean
  /** Whether one is being opened. */
  connecting: boolean
  /** Calls that wait for a connection or an answer. */
  pending: number
  /** Calls that were made. */
  calls: number
  /** Of these, how many failed, for whatever reason. */
  failed: number
  /** Calls that got no answer in time. */
  timedOut: number
  /** Connections made; all but the first replaced one that was lost, silent or idle. */
  connections: number
  /** Connections that ended without being asked to, or were given up because a call timed out. */
  lost: number
  /** Connections closed because they were idle. */
  idled: number
  /** Daemons that were started because none ran. */
  daemonsStarted: number
  /** Time limits, in milliseconds. */
  limits: ResolvedConnectionPoolOptions
}

/**
 * The connection to a PM2 daemon as a resource: made when first needed and once at a time, shared by all
 * calls, closed when idle, replaced when dead.
 *
 * It keeps the process alive only while calls are under way.
 */
export class ConnectionPool {
  readonly #options: ResolvedConnectionPoolOptions
  readonly #path: string
  readonly #lock: CommandLock
  #connection: Pm2Connection | undefined
  #connecting: Promise<Pm2Connection> | undefined
  #idleTimer: NodeJS.Timeout | undefined
  /** Those who wait until no call is pending. */
  #drained: (() => void)[] = []
  #closed = false
  #pending = 0
  #counts = {
    calls: 0,
    failed: 0,
    timedOut: 0,
    connections: 0,
    lost: 0,
    idled: 0,
    daemonsStarted: 0,
  }

  /** @throws ProcessManagerError `INVALID_OPTIONS` */
  constructor(options: ConnectionPoolOptions = {}) {
    this.#options = parseOptions(connectionPoolSchema, options, 'ConnectionPool')
    const { home, daemonStartTimeoutMs } = this.#options
    this.#path = callSocketOf(home)
    this.#lock = new CommandLock({
      directory: join(home, 'nexus-locks'),
      timeoutMs: daemonStartTimeoutMs,
    })
  }

  /** PM2's directory. */
  get home(): string {
    return this.#options.home
  }

  /**
   * Calls a method of the daemon, connecting first where that is needed.
   *
   * @param method one that PM2's daemon exposes, such as `getMonitorData`
   * @param args JSON values
   * @throws ProcessManagerError `TIMEOUT`, `DAEMON_LOST`, `DAEMON_REFUSED`, `CLOSED`, or why there is no connection:
   *   `DAEMON_UNREACHABLE`, `DAEMON_UNRESPONSIVE`, `CONNECTION_FAILED`, `PM2_UNAVAILABLE`, `START_FAILED`,
   *   `START_TIMEOUT`, `LOCK_TIMEOUT`, `LOCK_FAILED`
   */
  async call(
    method: string,
    args: readonly unknown[] = [],
    { timeoutMs = this.#options.callTimeoutMs, readOnly = false }: Pm2CallOptions = {},
  ): Promise<unknown> {
    this.#begin()
    this.#counts.calls++
    try {
      try {
        return await this.#callOnce(method, args, timeoutMs)
      } catch (error) {
        if (!readOnly || !hasCode(error, 'DAEMON_LOST')) throw error
        return await this.#callOnce(method, args, timeoutMs)
      }
    } catch (error) {
      this.#counts.failed++
      throw error
    } finally {
      this.#end()
    }
  }

  /** Connects ahead of the first call. @throws as `call` */
  async connect(): Promise<void> {
    this.#begin()
    try {
      await this.#connected()
    } finally {
      this.#end()
    }
  }

  /** Whether there is a connection to the daemon of PM2. */
  isConnected(): boolean {
    return this.#connection !== undefined
  }

  /** Counts since the start, and the limits. */
  getStats(): ConnectionPoolStats {
    return {
      connected: this.isConnected(),
      connecting: this.#connecting !== undefined,
      pending: this.#pending,
      ...this.#counts,
      limits: { ...this.#options },
    }
  }

  /** Closes the connection once the calls under way have settled; a later call connects again. */
  async disconnect(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((drained) => this.#drained.push(drained))
    this.#drop()?.close()
  }

  /** As `disconnect`, and refuses later calls with `CLOSED`. */
  async close(): Promise<void> {
    this.#closed = true
    await this.disconnect()
  }

  async #callOnce(method: string, args: readonly unknown[], timeoutMs: number): Promise<unknown> {
    const connection = await this.#connected()
    try {
      return await connection.call(method, args, timeoutMs)
    } catch (error) {
      if (hasCode(error, 'TIMEOUT')) {
        this.#counts.timedOut++
        // Whether the daemon is slow or dead, only a new connection can tell. Other calls on this one go on.
        if (this.#connection === connection) {
          this.#counts.lost++
          this.#drop()
        }
        connection.retire()
      }
      throw error
    }
  }

  async #connected(): Promise<Pm2Connection> {
    if (this.#connection) return this.#connection
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #open(): Promise<Pm2Connection> {
    const connection = await this.#openOrStart()
    this.#connection = connection
    this.#counts.connections++
    connection.onClosed(() => {
      if (this.#connection !== connection) return
      this.#counts.lost++
      this.#drop()
    })
    return connection
  }

  async #openOrStart(): Promise<Pm2Connection> {
    const { home, connectTimeoutMs, daemonStartTimeoutMs, startDaemon } = this.#options
    const open = () => Pm2Connection.open(this.#path, connectTimeoutMs)
    try {
      return await open()
    } catch (error) {
      if (!startDaemon || !hasCode(error, 'DAEMON_UNREACHABLE')) throw error
    }
    return this.#lock.withLock('daemon', async () => {
      try {
        return await open()
      } catch (error) {
        if (!hasCode(error, 'DAEMON_UNREACHABLE')) throw error
      }
      await startPm2Daemon(home, daemonStartTimeoutMs)
      this.#counts.daemonsStarted++
      return open()
    })
  }

  /** Closes the connection. */
  #drop(): Pm2Connection | undefined {
    const connection = this.#connection
    this.#connection = undefined
    clearTimeout(this.#idleTimer)
    return connection
  }

  #begin(): void {
    if (this.#closed) {
      throw new ProcessManagerError(
        'CLOSED',
        'ConnectionPool: expected to be open, but close() was called; create another one',
      )
    }
    this.#pending++
    clearTimeout(this.#idleTimer)
  }

  #end(): void {
    if (--this.#pending > 0) return
    for (const drained of this.#drained.splice(0)) drained()
    if (!this.#connection) return
    this.#idleTimer = setTimeout(() => {
      this.#counts.idled++
      this.#drop()?.close()
    }, this.#options.idleTimeoutMs).unref()
  }
}
