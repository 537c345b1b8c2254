import { z } from 'zod'
import type { Backend } from './backend.js'
import { addressSchema, prefixSchema, requestTimeoutSchema } from './server-settings.js'

const schema = z.strictObject({
  url: addressSchema(
    'nats://host:4222 or tls://host:4222; several, with commas, for a cluster. NEXUS_BUS_URL overrides it.',
  ),
  prefix: prefixSchema,
  requestTimeoutMs: requestTimeoutSchema,
  replicas: z.int().min(1).max(5).optional().meta({
    description: 'Copies of every event in a cluster.',
  }),
  serverDurability: z.enum(['os', 'disk']).optional().meta({
    description: 'disk when the server runs with sync_interval: always.',
  }),
})

/** Events on NATS JetStream. */
export const nats: Backend<z.output<typeof schema>> = {
  name: 'nats',
  schema,
  server: {
    protocols: ['nats:', 'tls:'],
    defaultUrl: 'nats://127.0.0.1:4222',
    takesSeveral: true,
  },
  async openStore({ urls, dataDir: _, durability: __, dataKey: ___, ...settings }) {
    const { natsStore } = await import('@nexus/event-bus-nats')
    return natsStore({ servers: [...urls], ...settings })
  },
  async openCacheTier({ urls, prefix, replicas, requestTimeoutMs }) {
    const { NatsCacheTier } = await import('@nexus/event-bus-nats')
    return new NatsCacheTier({ servers: [...urls], prefix, replicas, requestTimeoutMs })
  },
}
