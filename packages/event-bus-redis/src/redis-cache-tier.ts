import { parseOptions } from '@nexus/event-bus'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { createConnection } from './connection/connection.js'
import { answered } from './connection/request.js'
import { type RedisStoreOptions, redisStoreSchema } from './options.js'

/** Options of `RedisCacheTier`. */
export interface RedisCacheTierOptions
  extends Pick<RedisStoreOptions, 'url' | 'tls' | 'prefix' | 'requestTimeoutMs'> {
  /** The server removes an entry this many milliseconds after it was last written. @default 2592000000, 30 days */
  maxAgeMs?: number | undefined
}

const schema = redisStoreSchema.omit({ serverDurability: true, retention: true }).extend({
  maxAgeMs: z
    .int()
    .min(1)
    .default(30 * 24 * 3600 * 1000),
})

/**
 * The shared tier of the compile cache: what one machine compiled, the others load.
 *
 * @example
 * ```ts
 * const tier = new RedisCacheTier({ url: 'redis://127.0.0.1:6379', prefix: 'shop' })
 * ```
 */
export class RedisCacheTier {
  readonly #connection: Redis
  readonly #options: z.output<typeof schema>
  #connecting: Promise<void> | undefined

  /** @throws EventBusError `INVALID_OPTIONS` */
  constructor(options: RedisCacheTierOptions = {}) {
    this.#options = parseOptions(schema, options, 'RedisCacheTier')
    this.#connection = createConnection(this.#options)
  }

  /**
   * The bytes of an entry; undefined where there is none.
   *
   * @throws EventBusError `STORE_UNAVAILABLE`
   */
  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.#ask(() => this.#connection.getBuffer(this.#key(key)))
    return value ?? undefined
  }

  /**
   * Writes an entry, in place of an older one.
   *
   * @throws EventBusError `STORE_UNAVAILABLE`
   */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#ask(() =>
      this.#connection.set(this.#key(key), Buffer.from(bytes), 'PX', this.#options.maxAgeMs),
    )
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    this.#connection.disconnect()
  }

  #key(key: string): string {
    return `${this.#options.prefix}:compile-cache:${key}`
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    const { url, requestTimeoutMs } = this.#options
    if (this.#connection.status === 'wait') this.#connecting ??= this.#connection.connect()
    await this.#connecting?.catch(() => {})
    return answered(this.#connection, request(), url, requestTimeoutMs)
  }
}
