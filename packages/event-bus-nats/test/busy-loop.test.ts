import { join } from 'node:path'
import { keepsClaimsOfABusyLoop } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import {
  type BundledWorker,
  bundleWorker,
  hasNats,
  type ServerProcess,
  startNats,
} from '@nexus/test-kit'
import { afterAll, beforeAll, describe, it } from 'vitest'

describe.skipIf(!hasNats())('a handler on NATS that blocks the event loop', () => {
  let server: ServerProcess
  let worker: BundledWorker

  beforeAll(async () => {
    server = await startNats()
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
        environment: { BUSY_STORE: `nats://${server.address}`, BUSY_PREFIX: prefix },
        openStore: () => natsStore({ servers: [`nats://${server.address}`], prefix }),
        ordered,
      })
    }, 200_000)
  }
})
