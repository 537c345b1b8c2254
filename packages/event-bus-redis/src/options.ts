import { type Durability, type RetentionOptions, retentionSchema } from '@nexus/event-bus'
import { z } from 'zod'

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. @default 'redis://127.0.0.1:6379' */
  url?: string | undefined
  /** PEM texts for TLS, in addition to what `rediss://` does by itself. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined
  /** Start of every key; buses with different prefixes can share a server. @default 'nexus' */
  prefix?: string | undefined
  /** Fail a request after this many milliseconds without an answer, and open the connection again. @default 5000 */
  requestTimeoutMs?: number | undefined
  /** What a write survives, for servers that do not let the user ask with CONFIG. @default asked from the server */
  serverDurability?: Durability | undefined
  /** How much to keep; the oldest events are removed first. @default everything */
  retention?: RetentionOptions | undefined
}

export interface ResolvedRedisStoreOptions {
  url: string
  tls?: RedisStoreOptions['tls']
  prefix: string
  requestTimeoutMs: number
  serverDurability?: Durability | undefined
  retention: RetentionOptions
}

export const redisStoreSchema = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\//, 'expected redis://… or rediss://…')
    .default('redis://127.0.0.1:6379'),
  tls: z
    .strictObject({
      ca: z.string().optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
    })
    .optional(),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_:-]{1,64}$/, 'expected 1 to 64 letters, digits, _, : and -')
    .default('nexus'),
  requestTimeoutMs: z.int().min(100).default(5_000),
  serverDurability: z.enum(['memory', 'os', 'disk']).optional(),
  retention: retentionSchema,
}) satisfies z.ZodType<ResolvedRedisStoreOptions, RedisStoreOptions>
