import { hostname } from 'node:os'
import { isAbsolute } from 'node:path'
import { Redis } from 'ioredis'
import { z } from 'zod'
import type { SharedMetricsCache } from '../metrics-cache/metrics-cache-options.js'
import { parseOptions } from '../parse-options.js'

/** Options of `RedisTier`. */
export interface RedisTierOptions {
  /** `redis://…`, `rediss://…`, or the absolute path of a socket. @default 'redis://127.0.0.1:6379' */
  url?: string | undefined
  /** Before every key. @default 'nexus:services:' */
  prefix?: string | undefined
  /** Whose services: another host reads them under the same scope. @default the name of this host */
  scope?: string | undefined
  /** What an answer may take. @default 250 */
  timeoutMs?: number | undefined
}

type Resolved = { [K in keyof RedisTierOptions]-?: Exclude<RedisTierOptions[K], undefined> }

/** ioredis would take every other word for the path of a socket. */
function isAddress(url: string): boolean {
  return isAbsolute(url) || (/^rediss?:\/\/./.test(url) && URL.canParse(url))
}

const redisTierSchema = z.strictObject({
  url: z
    .string()
    .refine(isAddress, 'expected redis://…, rediss://… or an absolute path')
    .default('redis://127.0.0.1:6379'),
  prefix: z.string().default('nexus:services:'),
  scope: z
    .string()
    .min(1)
    .default(() => hostname()),
  timeoutMs: z.number().min(1).default(250),
}) satisfies z.ZodType<Resolved, RedisTierOptions>

/**
 * Lets hosts see each other's services through a Redis server, without asking each other's daemons.
 *
 * @example
 * ```ts
 * const cache = new MetricsCache({ shared: new RedisTier({ url: 'redis://127.0.0.1:6379' }) })
 * ```
 */
export class RedisTier implements SharedMetricsCache {
  readonly #redis: Redis
  readonly #keyPrefix: string
  #connecting: Promise<void> | undefined

  /** @throws ProcessManagerError `INVALID_OPTIONS` */
  constructor(options: RedisTierOptions = {}) {
    const { url, prefix, scope, timeoutMs } = parseOptions(redisTierSchema, options, 'RedisTier')
    this.#keyPrefix = `${prefix}${scope}:`
    this.#redis = new Redis(url, {
      lazyConnect: true,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      // Without Redis a question fails at once, and the engine is asked instead.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    })
    // Every failure reaches the caller; ioredis hears only the first error of a socket.
    this.#redis.on('error', () => this.#redis.stream?.on('error', () => {}))
  }

  /** A stored value, and for how much longer it holds; null when there is none. */
  async get(key: string): Promise<{ value: unknown; remainingMs: number } | null> {
    await this.#connected()
    const full = this.#keyPrefix + key
    const answers = await this.#redis.multi().get(full).pttl(full).exec()
    const [[, text] = [], [, remainingMs] = []] = answers ?? []
    if (typeof text !== 'string' || typeof remainingMs !== 'number') return null
    return { value: JSON.parse(text), remainingMs }
  }

  /** Stores a value for `ttlMs`. */
  async set(key: string, value: unknown, ttlMs: number): Promise<void> {
    await this.#connected()
    await this.#redis.set(this.#keyPrefix + key, JSON.stringify(value), 'PX', Math.ceil(ttlMs))
  }

  /** Forgets these values. */
  async delete(keys: readonly string[]): Promise<void> {
    await this.#connected()
    await this.#redis.del(keys.map((key) => this.#keyPrefix + key))
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    // Of a connection that has ended ioredis would wait for the end, for seconds.
    if (this.#redis.status !== 'end') this.#redis.disconnect()
  }

  /** Connects for the first question, and again for a later one when the connection was lost. */
  async #connected(): Promise<void> {
    if (this.#redis.status === 'ready') return
    this.#connecting ??= this.#redis.connect().finally(() => {
      this.#connecting = undefined
    })
    await this.#connecting
  }
}
