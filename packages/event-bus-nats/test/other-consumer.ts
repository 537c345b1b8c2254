import { runOtherConsumer } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'

void runOtherConsumer(() =>
  natsStore({
    servers: [process.env.BUSY_STORE!],
    prefix: process.env.BUSY_PREFIX,
  }),
)
