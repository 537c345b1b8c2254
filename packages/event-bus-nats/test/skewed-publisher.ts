import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'

/** Publishes one event that is due soon, and says what time this process believes it is. */
async function run(): Promise<void> {
  const bus = await EventBus.open({ store: natsStore({ servers: [process.env.SKEWED_STORE!] }) })
  await bus.publish({ type: 'a', id: 'x' }, { delayMs: 500 })
  process.send!({ now: Date.now() })
  await bus.close()
}

void run()
