import { parseOptions } from '@nexus/event-bus'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { createConnection } from './connection/connection.js'
import { answered } from './connection/request.js'
import { type RedisStoreOptions, redisStoreSchema } from './options.js'

/** Options of `RedisCacheTier`. */
export interface RedisCacheTierOptions
  extends Pick<RedisStoreOptions, 'url' | 'tls' | 'prefix' | 'requestTimeoutMs'> {
  /** An entry that nobody wrote for so long is dropped by the server. @default 2592000000, 30 days */
  maxAgeMs?: number | undefined
}

const schema = redisStoreSchema.omit({ serverDurability: true, retention: true }).extend({
  maxAgeMs: z
    .int()
    .min(1)
    .default(30 * 24 * 3600 * 1000),
})

/** The compile cache's shared tier: what one machine compiled, the others load. */
export class RedisCacheTier {
  readonly #connection: Redis
  readonly #options: z.output<typeof schema>
  #connecting: Promise<void> | undefined

  /** @throws EventBusError `INVALID_OPTIONS` */
  constructor(options: RedisCacheTierOptions = {}) {
    this.#options = parseOptions(schema, options, 'RedisCacheTier')
    this.#connection = createConnection(this.#options)
  }

  /** @throws EventBusError `STORE_UNAVAILABLE` */
  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.#ask(() => this.#connection.getBuffer(this.#key(key)))
    return value ?? undefined
  }

  /** @throws EventBusError `STORE_UNAVAILABLE` */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#ask(() =>
      this.#connection.set(this.#key(key), Buffer.from(bytes), 'PX', this.#options.maxAgeMs),
    )
  }

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
