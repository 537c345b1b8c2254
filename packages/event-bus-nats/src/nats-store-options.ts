import { type Durability, type RetentionOptions, retentionSchema } from '@nexus/event-bus'
import { z } from 'zod'

/** Options of `natsStore`. */
export interface NatsStoreOptions {
  /** `nats://user:password@host:4222` or `tls://…`; several for a cluster. @default ['nats://127.0.0.1:4222'] */
  servers?: string[] | undefined
  /** Token, instead of a user in the address. */
  token?: string | undefined
  /** Contents of a credentials file (JWT and seed). */
  credentials?: string | undefined
  /** PEM texts for TLS, in addition to what `tls://` does by itself. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined
  /** Start of every subject and stream; buses with different ones share a server without meeting. @default 'nexus' */
  prefix?: string | undefined
  /** Copies of every stream in a cluster. @default 1 */
  replicas?: number | undefined
  /** Fail a request after this many milliseconds without an answer. @default 5000 */
  requestTimeoutMs?: number | undefined
  /** How long the server recognises a repeated source and id by itself; afterwards the bus looks it up. @default 120000 */
  duplicateWindowMs?: number | undefined
  /** `disk` when the server runs with `sync_interval: always`, which cannot be asked. @default 'os' */
  serverDurability?: Exclude<Durability, 'memory'> | undefined
  /**
   * Store events published together and without ids of their own all or not at all, on servers from 2.12 on;
   * such a server takes 20 ms or so for each batch, whatever its size. @default false
   */
  atomicBatches?: boolean | undefined
  /** How much to keep; bytes are counted as the stream counts them. @default everything */
  retention?: RetentionOptions | undefined
}

export interface ResolvedNatsStoreOptions {
  servers: string[]
  token?: string | undefined
  credentials?: string | undefined
  tls?: NatsStoreOptions['tls']
  prefix: string
  replicas: number
  requestTimeoutMs: number
  duplicateWindowMs: number
  serverDurability: Exclude<Durability, 'memory'>
  atomicBatches: boolean
  retention: RetentionOptions
}

export const natsStoreSchema = z.strictObject({
  servers: z.array(z.string().min(1)).min(1).default(['nats://127.0.0.1:4222']),
  token: z.string().optional(),
  credentials: z.string().optional(),
  tls: z
    .strictObject({
      ca: z.string().optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
    })
    .optional(),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 letters, digits, _ and -')
    .default('nexus'),
  replicas: z.int().min(1).max(5).default(1),
  requestTimeoutMs: z.int().min(100).default(5_000),
  duplicateWindowMs: z.int().min(100).default(120_000),
  serverDurability: z.enum(['os', 'disk']).default('os'),
  atomicBatches: z.boolean().default(false),
  retention: retentionSchema,
}) satisfies z.ZodType<ResolvedNatsStoreOptions, NatsStoreOptions>
