import { runKillWorker } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'

void runKillWorker(() => natsStore({ servers: [process.env.KILL_STORE!], requestTimeoutMs: 2_000 }))
