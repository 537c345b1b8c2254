import { z } from 'zod'

const prefix = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 letters, digits, _ and -')
  .optional()
  .meta({
    description: 'Start of every name on the server; runtimes with the same one share their work.',
  })
const requestTimeoutMs = z
  .int()
  .min(100)
  .max(600_000)
  .optional()
  .meta({ description: 'A request that the server does not answer for so long fails.' })
const retention = z
  .strictObject({
    maxAgeMs: z.int().min(1).optional().meta({
      description: 'Events stored longer ago than this are removed.',
    }),
    maxEvents: z.int().min(1).optional().meta({ description: 'The newest so many are kept.' }),
    maxBytes: z.int().min(1).optional().meta({
      description: 'So many bytes of events are kept, the newest.',
    }),
  })
  .optional()
  .meta({
    description:
      'What is kept; everything when left out. Never removed: what a function has not finished with.',
  })
const address = (description: string) => z.string().min(1).optional().meta({ description })

/** Where events are kept: a name, or an object with the settings of that backend. */
export const busSchema = z
  .union([
    z.enum(['local', 'memory', 'nats', 'redis']),
    z
      .strictObject({
        durability: z.enum(['disk', 'os']).optional().meta({
          description:
            'What a 202 of the local bus promises. disk: survives a power cut. os: survives the process.',
        }),
        retention,
        nats: z
          .strictObject({
            url: address(
              'nats://host:4222 or tls://host:4222; several, with commas, for a cluster. NEXUS_BUS_URL overrides it.',
            ),
            prefix,
            requestTimeoutMs,
            replicas: z.int().min(1).max(5).optional().meta({
              description: 'Copies of every event in a cluster.',
            }),
            serverDurability: z.enum(['os', 'disk']).optional().meta({
              description: 'disk when the server runs with sync_interval: always.',
            }),
          })
          .optional(),
        redis: z
          .strictObject({
            url: address('redis://host:6379/0 or rediss://…. NEXUS_BUS_URL overrides it.'),
            prefix,
            requestTimeoutMs,
            serverDurability: z.enum(['memory', 'os', 'disk']).optional().meta({
              description: 'What the server keeps, where CONFIG is not allowed to ask it.',
            }),
          })
          .optional(),
      })
      .refine(({ nats, redis }) => !(nats && redis), {
        path: ['redis'],
        message: 'expected nats or redis, not both',
      })
      .refine(({ durability, nats, redis }) => durability === undefined || !(nats || redis), {
        path: ['durability'],
        message: 'expected only with the local bus; here the server decides, see serverDurability',
      }),
  ])
  .default('local')
  .meta({
    description:
      'Where events are kept. local: in dataDir. memory: gone with the process. nats, redis: several runtimes share them.',
  })

/** The value of `bus` in a valid file. */
export type BusFile = z.output<typeof busSchema>
