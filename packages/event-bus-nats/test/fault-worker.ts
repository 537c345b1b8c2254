import { runFaultWorker } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'

const port = Number(process.env.FAULT_PORT)

void runFaultWorker(() =>
  natsStore({ servers: [`nats://127.0.0.1:${port}`], requestTimeoutMs: 1_000 }),
)
