import { join } from 'node:path'
import { keepsClaimsOfABusyLoop } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import {
  type BundledWorker,
  bundleWorker,
  hasRedis,
  type ServerProcess,
  startRedis,
} from '@nexus/test-kit'
import { afterAll, beforeAll, describe, it } from 'vitest'

describe.skipIf(!hasRedis())('a handler on Redis that blocks the event loop', () => {
  let server: ServerProcess
  let worker: BundledWorker

  beforeAll(async () => {
    server = await startRedis()
    worker = await bundleWorker(join(import.meta.dirname, 'other-consumer.ts'))
  })

  afterAll(async () => {
    await server.stop()
    worker.remove()
  })

  for (const ordered of [false, true]) {
    it(`keeps its claim in a group ${ordered ? 'with an ordering key' : 'without order'}`, async () => {
      const prefix = `busy-${ordered}`
      await keepsClaimsOfABusyLoop({
        workerFile: worker.workerFile,
        environment: { BUSY_STORE: `redis://${server.address}`, BUSY_PREFIX: prefix },
        openStore: () => redisStore({ url: `redis://${server.address}`, prefix }),
        ordered,
      })
    }, 200_000)
  }
})
