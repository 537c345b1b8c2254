import { type ConformanceHarness, conformanceCases } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { hasRedis, RedisServer } from './redis-server.js'

describe.skipIf(!hasRedis())('the Redis store', () => {
  let server: RedisServer
  let storages = 0

  beforeAll(async () => {
    server = await RedisServer.start()
  })

  afterAll(async () => {
    await server.stop()
  })

  const harness: ConformanceHarness = {
    persistent: true,
    shared: true,
    createStorage: async () => {
      const prefix = `test-${storages++}`
      return {
        openStore: () => redisStore({ url: server.url, prefix }),
        dispose: async () => {},
      }
    },
  }

  for (const { name, run } of conformanceCases) it(name, () => run(harness))
})
