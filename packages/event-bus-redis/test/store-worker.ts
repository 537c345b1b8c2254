import { runStoreWorker } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'

const { STORE_URL: url, STORE_PREFIX: prefix } = process.env

void runStoreWorker(() => redisStore({ url, prefix, requestTimeoutMs: 2_000 }))
