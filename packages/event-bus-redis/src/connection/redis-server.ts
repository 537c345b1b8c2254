import { createHash, randomUUID } from 'node:crypto'
import { type Durability, EventBusError } from '@nexus/event-bus'
import type { Redis } from 'ioredis'
import type { ResolvedRedisStoreOptions } from '../options.js'
import { createConnection, lastErrorOf } from './connection.js'
import { answered, redactUrl, unavailable } from './request.js'
import { assertSuitable, readDurability, readMaxValueBytes } from './server-settings.js'

/** How often the silent connection is asked whether it is still there. */
const WATCH_MS = 10_000

/** What happens on the connections. */
export interface RedisServerListeners {
  onConnected(): void
  onDisconnected(reason: string): void
  /** The server answers again, or for the first time: what it holds may be another state. */
  onReady(): void
  /** There may be work for these groups; undefined: for any group. */
  onWake(groups: readonly string[] | undefined): void
  onError(error: unknown): void
}

/** The two connections of a store to its server: one asks, one is woken up. */
export class RedisServer {
  /** Names this process among those that share the bus. */
  readonly process = randomUUID()
  /** Start of every key of the bus; its hash tag keeps them together. */
  readonly prefix: string
  readonly #options: ResolvedRedisStoreOptions
  readonly #commands: Redis
  /** A connection in subscriber mode can do nothing else. */
  readonly #wakeups: Redis
  readonly #digests = new Map<string, string>()
  #durability: Durability = 'memory'
  #maxValueBytes = 0
  #watchdog: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ResolvedRedisStoreOptions) {
    this.#options = options
    this.prefix = `${options.prefix}:{bus}`
    this.#commands = createConnection(options)
    this.#wakeups = createConnection(options)
  }

  /** Where it is, without user and password. */
  get address(): string {
    return redactUrl(this.#options.url)
  }

  /** What a write survives at most, by the settings of the server. */
  get durability(): Durability {
    return this.#options.serverDurability ?? this.#durability
  }

  /** The largest value that the server takes. */
  get maxValueBytes(): number {
    return this.#maxValueBytes
  }

  /** @throws EventBusError `STORE_UNAVAILABLE`, `INVALID_OPTIONS` for a server that cannot keep a bus */
  async connect(listeners: RedisServerListeners): Promise<void> {
    const { url } = this.#options
    try {
      await Promise.all([this.#commands.connect(), this.#wakeups.connect()])
      await assertSuitable(this.#commands, url)
      await this.#wakeups.subscribe(`${this.prefix}:wake`)
    } catch (cause) {
      const lastError = lastErrorOf(this.#commands) ?? lastErrorOf(this.#wakeups)
      this.#commands.disconnect()
      this.#wakeups.disconnect()
      throw cause instanceof EventBusError ? cause : unavailable(url, cause, lastError)
    }
    await this.#readSettings()
    this.#wakeups.on('message', (_, names: string) => listeners.onWake(names.split(',')))
    this.#wakeups.on('ready', () => void this.#subscribeAgain(listeners))
    this.#commands.on('close', () => {
      if (this.#closed) return
      const reason = lastErrorOf(this.#commands)?.message
      listeners.onDisconnected(
        `lost ${this.address}${reason === undefined ? '' : `: ${reason.split('\n')[0]}`}`,
      )
    })
    this.#commands.on('ready', () => void this.#ready(listeners))
    this.#watchdog = setInterval(() => this.#checkWakeups(), WATCH_MS).unref()
    listeners.onConnected()
  }

  /** Runs a script of `scripts/`. */
  async run(script: string, args: readonly (string | number)[]): Promise<unknown> {
    let digest = this.#digests.get(script)
    if (digest === undefined) {
      digest = createHash('sha1').update(script).digest('hex')
      this.#digests.set(script, digest)
    }
    const given = [this.prefix, ...args, this.process]
    try {
      return await this.ask((redis) => redis.evalsha(digest, 1, ...given))
    } catch (error) {
      // A server that was restarted does not know the script yet.
      if (!/NOSCRIPT/.test((error as Error).message)) throw error
      return this.ask((redis) => redis.eval(script, 1, ...given))
    }
  }

  /** Sends commands and waits for their answer. */
  ask<T>(request: (connection: Redis) => Promise<T>): Promise<T> {
    if (this.#closed) throw new EventBusError('CLOSED', 'the store was closed')
    const { url, requestTimeoutMs } = this.#options
    return answered(this.#commands, request(this.#commands), url, requestTimeoutMs)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#watchdog)
    this.#commands.disconnect()
    this.#wakeups.disconnect()
  }

  /** The client could do this by itself, but its failure would end the process. */
  async #subscribeAgain(listeners: RedisServerListeners): Promise<void> {
    try {
      await this.#wakeups.subscribe(`${this.prefix}:wake`)
    } catch {
      // The connection went away at once: it opens again, and then this is tried again.
      return
    }
    // Calls that came while the connection was away are lost: every group looks.
    listeners.onWake(undefined)
  }

  async #readSettings(): Promise<void> {
    this.#durability = await readDurability(this.#commands)
    this.#maxValueBytes = await readMaxValueBytes(this.#commands)
  }

  /** Another server may stand behind the address by now, with other settings. */
  async #ready(listeners: RedisServerListeners): Promise<void> {
    try {
      await assertSuitable(this.#commands, this.#options.url)
      await this.#readSettings()
    } catch (error) {
      if (!this.#closed) listeners.onError(error)
    }
    if (this.#closed) return
    listeners.onConnected()
    listeners.onReady()
  }

  /** The wake-up connection sends nothing by itself, so it would not notice that the server is gone. */
  #checkWakeups(): void {
    if (this.#wakeups.status !== 'ready') return
    const { url, requestTimeoutMs } = this.#options
    // A connection that does not answer is opened again, and then every group looks for work.
    answered(this.#wakeups, this.#wakeups.ping(), url, requestTimeoutMs).catch(() => {})
  }
}
