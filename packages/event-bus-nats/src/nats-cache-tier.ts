import { jetstream } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { parseOptions } from '@nexus/event-bus'
import { z } from 'zod'
import { openConnection } from './connection/open-connection.js'
import { unavailable } from './connection/unavailable.js'
import { type NatsStoreOptions, natsStoreSchema } from './nats-store-options.js'

/** Options of `NatsCacheTier`. */
export interface NatsCacheTierOptions
  extends Pick<
    NatsStoreOptions,
    'servers' | 'token' | 'credentials' | 'tls' | 'prefix' | 'replicas' | 'requestTimeoutMs'
  > {
  /** The server removes an entry this many milliseconds after it was last written. @default 2592000000, 30 days */
  maxAgeMs?: number | undefined
}

const schema = natsStoreSchema
  .omit({ serverDurability: true, duplicateWindowMs: true, retention: true, atomicBatches: true })
  .extend({
    maxAgeMs: z
      .int()
      .min(1)
      .default(30 * 24 * 3600 * 1000),
  })

/**
 * The shared tier of the compile cache, in a JetStream key-value bucket: what one machine compiled, the others load. An
 * entry may be as large as the server's `max_payload`.
 *
 * @example
 * ```ts
 * const tier = new NatsCacheTier({ servers: ['nats://127.0.0.1:4222'], prefix: 'shop' })
 * ```
 */
export class NatsCacheTier {
  readonly #options: z.output<typeof schema>
  #opened:
    | Promise<{ connection: NatsConnection; bucket: KV; create: () => Promise<KV> }>
    | undefined

  /** @throws EventBusError `INVALID_OPTIONS` */
  constructor(options: NatsCacheTierOptions = {}) {
    this.#options = parseOptions(schema, options, 'NatsCacheTier')
  }

  /**
   * The bytes of an entry; undefined where there is none.
   *
   * @throws EventBusError `STORE_UNAVAILABLE`
   */
  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#ask(async (bucket) => {
      const entry = await bucket.get(key)
      return entry?.operation === 'PUT' ? entry.value : undefined
    })
  }

  /**
   * Writes an entry, in place of an older one.
   *
   * @throws EventBusError `STORE_UNAVAILABLE`
   */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#ask((bucket) => bucket.put(key, bytes))
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined)
    await opened?.connection.close()
  }

  async #ask<T>(request: (bucket: KV) => Promise<T>): Promise<T> {
    this.#opened ??= this.#open()
    try {
      const { bucket, create } = await this.#opened
      return await request(bucket).catch(async () => {
        // The bucket may be gone; one that is there stays as it is.
        return request(await create())
      })
    } catch (cause) {
      throw unavailable(this.#options.servers, cause)
    }
  }

  async #open() {
    try {
      const connection = await openConnection(this.#options)
      const { prefix, replicas, maxAgeMs, requestTimeoutMs } = this.#options
      const manager = new Kvm(jetstream(connection, { timeout: requestTimeoutMs }))
      const create = () => manager.create(`${prefix}_compile_cache`, { ttl: maxAgeMs, replicas })
      return { connection, create, bucket: await create() }
    } catch (error) {
      // The next call tries again.
      this.#opened = undefined
      throw error
    }
  }
}
