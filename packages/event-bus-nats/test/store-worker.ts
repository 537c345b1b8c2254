import { runStoreWorker } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'

const { STORE_SERVER, STORE_PREFIX } = process.env

void runStoreWorker(() =>
  natsStore({ servers: [STORE_SERVER!], prefix: STORE_PREFIX, requestTimeoutMs: 2_000 }),
)
