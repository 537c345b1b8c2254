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
  /** An entry that nobody wrote for so long is dropped by the server. @default 2592000000, 30 days */
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

/** The compile cache's shared tier in a JetStream key-value bucket; an entry may be as large as the server's `max_payload`. */
export class NatsCacheTier {
  readonly #options: z.output<typeof schema>
  #opened: Promise<{ connection: NatsConnection; bucket: KV }> | undefined

  /** @throws EventBusError `INVALID_OPTIONS` */
  constructor(options: NatsCacheTierOptions = {}) {
    this.#options = parseOptions(schema, options, 'NatsCacheTier')
  }

  /** @throws EventBusError `STORE_UNAVAILABLE` */
  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#ask(async (bucket) => {
      const entry = await bucket.get(key)
      return entry?.operation === 'PUT' ? entry.value : undefined
    })
  }

  /** @throws EventBusError `STORE_UNAVAILABLE` */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#ask((bucket) => bucket.put(key, bytes))
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined)
    await opened?.connection.close()
  }

  async #ask<T>(request: (bucket: KV) => Promise<T>): Promise<T> {
    this.#opened ??= this.#open()
    try {
      return await request((await this.#opened).bucket)
    } catch (cause) {
      throw unavailable(this.#options.servers, cause)
    }
  }

  async #open() {
    try {
      const connection = await openConnection(this.#options)
      const { prefix, replicas, maxAgeMs, requestTimeoutMs } = this.#options
      const manager = new Kvm(jetstream(connection, { timeout: requestTimeoutMs }))
      const bucket = await manager.create(`${prefix}_compile_cache`, { ttl: maxAgeMs, replicas })
      return { connection, bucket }
    } catch (error) {
      // The next call tries again.
      this.#opened = undefined
      throw error
    }
  }
}
