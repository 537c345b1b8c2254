import { type ConformanceHarness, conformanceCases } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { hasNats, NatsServer } from './nats-server.js'

describe.skipIf(!hasNats())('the NATS store', () => {
  let server: NatsServer
  let storages = 0

  beforeAll(async () => {
    server = await NatsServer.start()
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
        openStore: () => natsStore({ servers: [server.url], prefix }),
        dispose: async () => {},
      }
    },
  }

  for (const { name, run } of conformanceCases) it(name, () => run(harness))
})
