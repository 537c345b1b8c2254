import { runFaultWorker } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'

const port = Number(process.env.FAULT_PORT)

void runFaultWorker(() => redisStore({ url: `redis://127.0.0.1:${port}`, requestTimeoutMs: 1_000 }))
