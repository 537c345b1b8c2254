import { z } from 'zod'
import type { Backend } from './backend.js'
import { addressSchema, prefixSchema, requestTimeoutSchema } from './server-settings.js'

const schema = z.strictObject({
  url: addressSchema('redis://host:6379/0 or rediss://…. NEXUS_BUS_URL overrides it.'),
  prefix: prefixSchema,
  requestTimeoutMs: requestTimeoutSchema,
  serverDurability: z.enum(['memory', 'os', 'disk']).optional().meta({
    description: 'What the server keeps, where CONFIG is not allowed to ask it.',
  }),
})

/** Events on Redis Streams. */
export const redis: Backend<z.output<typeof schema>> = {
  name: 'redis',
  schema,
  server: {
    protocols: ['redis:', 'rediss:'],
    defaultUrl: 'redis://127.0.0.1:6379',
    takesSeveral: false,
  },
  async openStore({ urls, dataDir: _, durability: __, dataKey: ___, ...settings }) {
    const { redisStore } = await import('@nexus/event-bus-redis')
    return redisStore({ url: urls[0], ...settings })
  },
  async openCacheTier({ urls, prefix, requestTimeoutMs }) {
    const { RedisCacheTier } = await import('@nexus/event-bus-redis')
    return new RedisCacheTier({ url: urls[0], prefix, requestTimeoutMs })
  },
}
