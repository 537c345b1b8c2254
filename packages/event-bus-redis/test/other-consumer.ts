import { runOtherConsumer } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'

void runOtherConsumer(() =>
  redisStore({ url: process.env.BUSY_STORE, prefix: process.env.BUSY_PREFIX }),
)
