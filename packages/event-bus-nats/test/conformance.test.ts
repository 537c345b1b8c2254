import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { describeStore } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { bundleWorker, hasNats, startNats } from '@nexus/test-kit'
import { afterAll, describe, it } from 'vitest'
import { secretPlans } from './secret-plans.js'

describeStore(
  {
    name: 'the NATS store',
    persistent: true,
    shared: true,
    start: async () => {
      const server = await startNats()
      let storages = 0
      return {
        createStorage: async () => {
          const prefix = `test-${storages++}`
          const servers = [`nats://${server.address}`]
          return {
            openStore: (options) =>
              natsStore({
                ...options,
                ...(options && { duplicateWindowMs: 100 }),
                servers,
                prefix,
              }),
            environment: { STORE_SERVER: servers[0]!, STORE_PREFIX: prefix },
            dispose: async () => {},
          }
        },
        server: {
          port: server.port,
          openStoreAt: (port) =>
            natsStore({ servers: [`nats://127.0.0.1:${port}`], requestTimeoutMs: 1_000 }),
          environmentAt: (port) => ({ STORE_SERVER: `nats://127.0.0.1:${port}` }),
          kill: () => server.kill(),
          restart: () => server.restart(),
          empty: async () => {
            const connection = await connect({ servers: [server.address] })
            const { streams } = await jetstreamManager(connection)
            for await (const name of streams.names()) await streams.delete(name)
            await connection.close()
          },
        },
        stop: () => server.stop(),
      }
    },
    worker: () => bundleWorker(join(import.meta.dirname, 'store-worker.ts')),
    networkFaultMs: 1_300,
    secrets: secretPlans,
  },
  { describe: describe.skipIf(!hasNats()), it, afterAll },
)
