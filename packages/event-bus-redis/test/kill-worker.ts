import { runKillWorker } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'

void runKillWorker(() => redisStore({ url: process.env.KILL_STORE, requestTimeoutMs: 2_000 }))
