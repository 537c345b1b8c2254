import { join } from 'node:path'
import { keepsClaimsOfABusyLoop } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { bundleWorker, hasRedis, startRedis, untilTestEnds } from '@nexus/test-kit'
import { describe, it } from 'vitest'

describe.skipIf(!hasRedis())('a handler on Redis that blocks the event loop', () => {
  for (const ordered of [false, true]) {
    it(`keeps its claim in a group ${ordered ? 'with an ordering key' : 'without order'}`, async () => {
      const { address } = await untilTestEnds(startRedis())
      const other = join(import.meta.dirname, 'other-consumer.ts')
      const { workerFile } = await untilTestEnds(bundleWorker(other))
      const url = `redis://${address}`
      const prefix = 'busy'
      await keepsClaimsOfABusyLoop({
        workerFile,
        environment: { BUSY_STORE: url, BUSY_PREFIX: prefix },
        openStore: () => redisStore({ url, prefix }),
        ordered,
      })
    }, 200_000)
  }
})
