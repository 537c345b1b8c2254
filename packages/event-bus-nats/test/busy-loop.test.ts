import { join } from 'node:path'
import { keepsClaimsOfABusyLoop } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { bundleWorker, hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, it } from 'vitest'

describe.skipIf(!hasNats())('a handler on NATS that blocks the event loop', () => {
  for (const ordered of [false, true]) {
    it(`keeps its claim in a group ${ordered ? 'with an ordering key' : 'without order'}`, async () => {
      const { address } = await untilTestEnds(startNats())
      const other = join(import.meta.dirname, 'other-consumer.ts')
      const { workerFile } = await untilTestEnds(bundleWorker(other))
      const url = `nats://${address}`
      const prefix = 'busy'
      await keepsClaimsOfABusyLoop({
        workerFile,
        environment: { BUSY_STORE: url, BUSY_PREFIX: prefix },
        openStore: () => natsStore({ servers: [url], prefix }),
        ordered,
      })
    }, 200_000)
  }
})
