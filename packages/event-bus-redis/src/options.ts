import { type Durability, type RetentionOptions, retentionSchema } from '@nexus/event-bus'
import { z } from 'zod'

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. @default 'redis://127.0.0.1:6379' */
  url?: string | undefined
  /** TLS material beyond what `rediss://` implies. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined
  /** Start of every key; buses with different ones share a server without meeting. @default 'nexus' */
  prefix?: string | undefined
  /** A request that is not answered for so long fails, and the connection is made anew. @default 5000 */
  requestTimeoutMs?: number | undefined
  /** What the server's persistence gives, where CONFIG is not allowed to ask it. @default asked from the server */
  serverDurability?: Durability | undefined
  /** What to keep. @default everything */
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
