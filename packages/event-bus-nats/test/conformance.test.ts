import { type ConformanceHarness, conformanceCases } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, it } from 'vitest'

describe.skipIf(!hasNats())('the NATS store', () => {
  let server: ServerProcess
  let storages = 0

  beforeAll(async () => {
    server = await startNats()
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
          natsStore({
            ...options,
            ...(options && { duplicateWindowMs: 100 }),
            servers: [`nats://${server.address}`],
            prefix,
          }),
        dispose: async () => {},
      }
    },
  }

  for (const { name, run } of conformanceCases) it(name, () => run(harness))
})
