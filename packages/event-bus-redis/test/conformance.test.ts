import { join } from 'node:path'
import { describeStore } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { bundleWorker, hasRedis, startRedis } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { afterAll, describe, it } from 'vitest'

describe.skipIf(!hasRedis())('on a Redis server', () => {
  describeStore(
    {
      name: 'the Redis store',
      persistent: true,
      shared: true,
      start: async () => {
        const server = await startRedis()
        const url = `redis://${server.address}`
        let storages = 0
        return {
          createStorage: async () => {
            const prefix = `test-${storages++}`
            return {
              openStore: (options) => redisStore({ ...options, url, prefix }),
              environment: { STORE_URL: url, STORE_PREFIX: prefix },
              dispose: async () => {},
            }
          },
          server: {
            port: server.port,
            openStoreAt: (port) =>
              redisStore({ url: `redis://127.0.0.1:${port}`, requestTimeoutMs: 1_000 }),
            environmentAt: (port) => ({ STORE_URL: `redis://127.0.0.1:${port}` }),
            kill: () => server.kill(),
            restart: () => server.restart(),
            empty: async () => {
              const redis = new Redis(server.port)
              await redis.flushall()
              redis.disconnect()
            },
          },
          stop: () => server.stop(),
        }
      },
      worker: () => bundleWorker(join(import.meta.dirname, 'store-worker.ts')),
      networkFaultMs: 1_300,
    },
    { describe, it, afterAll },
  )
})
