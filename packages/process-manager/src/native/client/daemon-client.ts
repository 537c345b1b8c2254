import { closeSync, openSync } from 'node:fs'
import { ProcessManagerError } from '../../errors.js'
import { takePrivateHome } from '../files/private-home.js'
import type { DaemonOptions } from '../options.js'
import { type NativePaths, socketAddress } from '../paths.js'
import type { Method, Methods } from '../protocol.js'
import { readStatusFile } from '../status-file.js'
import { DaemonConnection } from './daemon-connection.js'
import { launchDaemon } from './daemon-launcher.js'

/** What a {@link DaemonClient} did so far. */
export interface DaemonClientStats {
  /** Whether there is a connection to the daemon. */
  connected: boolean
  /** Connections made. */
  connects: number
  /** Requests that were sent. */
  requests: number
}

/** Asks the daemon, starting it where none lives; connects once, and again after the connection was lost. */
export class DaemonClient {
  #connection: Promise<DaemonConnection> | undefined
  #open: DaemonConnection | undefined
  #closed = false
  readonly #counts = { connects: 0, requests: 0 }

  constructor(
    private readonly paths: NativePaths,
    private readonly home: string,
    private readonly daemon: DaemonOptions,
    /** For the daemon to start, to greet, and to say that it received a request. */
    private readonly requestTimeoutMs: number,
  ) {}

  /**
   * @param answerWithinMs from the receipt of the request to its answer
   * @throws ProcessManagerError what the daemon answers, or `DAEMON_UNRESPONSIVE`, `DAEMON_UNREACHABLE`, `DAEMON_LOST`
   */
  async request<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    answerWithinMs: number,
  ): Promise<Methods[M]['result']> {
    this.#counts.requests++
    const connection = await this.#connect()
    return await connection.request(method, params, answerWithinMs)
  }

  /** What the daemon could not do as it last answered here. */
  get warnings(): readonly string[] {
    return this.#open?.warnings ?? []
  }

  getStats(): DaemonClientStats {
    return { connected: this.#open?.isOpen ?? false, ...this.#counts }
  }

  close(): void {
    this.#closed = true
    this.#open?.close()
  }

  async #connect(): Promise<DaemonConnection> {
    if (this.#closed) throw new ProcessManagerError('CLOSED', 'This engine was closed.')
    if (this.#open?.isOpen) return this.#open
    // Everyone who asks meanwhile waits for the same connection.
    this.#connection ??= this.#dial().finally(() => {
      this.#connection = undefined
    })
    return await this.#connection
  }

  async #dial(): Promise<DaemonConnection> {
    const deadline = performance.now() + this.requestTimeoutMs
    for (;;) {
      const leftMs = Math.max(1, deadline - performance.now())
      const connection = await this.#tryToOpen(leftMs)
      if (connection !== null) {
        this.#counts.connects++
        this.#open = connection
        if (this.#closed) connection.close()
        return connection
      }
      if (performance.now() > deadline) throw this.#diagnose('a connection', this.requestTimeoutMs)
      await launchDaemon(this.paths, this.home, this.daemon, leftMs)
    }
  }

  async #tryToOpen(greetingTimeoutMs: number): Promise<DaemonConnection | null> {
    // A daemon of another user would be told everything, the environment of services included.
    takePrivateHome(this.paths)
    let root: number | undefined
    const address = socketAddress(this.paths, () => {
      root = openSync(this.paths.root, 'r')
      return root
    })
    try {
      const timeouts = { greetingTimeoutMs, receiptTimeoutMs: this.requestTimeoutMs }
      return await DaemonConnection.open(address, timeouts, this.#diagnose)
    } finally {
      if (root !== undefined) closeSync(root)
    }
  }

  readonly #diagnose = (what: string, timeoutMs: number): ProcessManagerError => {
    const pid = readStatusFile(this.paths)?.daemon.pid
    const advice =
      pid === undefined
        ? `See ${this.paths.daemonLog}.`
        : `If it is stopped, \`kill -CONT ${pid}\` lets it go on; \`kill -KILL ${pid}\` ends it, its services go on, and the next command starts another.`
    return new ProcessManagerError(
      'DAEMON_UNRESPONSIVE',
      `Expected ${what} from the daemon${pid === undefined ? '' : ` (pid ${pid})`} within ${Math.round(timeoutMs)} ms, got none. ${advice}`,
      { details: { pid: pid ?? null, timeoutMs } },
    )
  }
}
