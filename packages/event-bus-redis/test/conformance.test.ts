import { type ConformanceHarness, conformanceCases } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, it } from 'vitest'

describe.skipIf(!hasRedis())('the Redis store', () => {
  let server: ServerProcess
  let storages = 0

  beforeAll(async () => {
    server = await startRedis()
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
        openStore: (options) =>
          redisStore({ ...options, url: `redis://${server.address}`, prefix }),
        dispose: async () => {},
      }
    },
  }

  for (const { name, run } of conformanceCases) it(name, () => run(harness))
})
