import { EventBus } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'

/** Publishes one delayed event, and prints the time of its machine. */
const url = process.env.PUBLISH_STORE
const bus = await EventBus.open({ store: redisStore({ url }) })
await bus.publish({ type: 'a', id: 'x' }, { delayMs: 1_500 })
await bus.close()
console.log(Date.now())
