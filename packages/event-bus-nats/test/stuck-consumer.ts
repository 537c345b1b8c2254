import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'

/** Tells its parent of each attempt, and ends it when the parent says so. */
async function run(): Promise<void> {
  const store = natsStore({
    servers: [process.env.STUCK_STORE!],
    prefix: process.env.STUCK_PREFIX ?? 'nexus',
  })
  const bus = await EventBus.open({ store })
  bus.on('error', (error) => process.send!({ error: (error as { code?: string }).code }))
  await bus.subscribe(
    'a',
    async ({ attempt }) => {
      process.send!({ attempt })
      await new Promise((resolve) => process.once('message', resolve))
      return { record: 'of the stuck process' }
    },
    {
      group: 'g',
      ackWaitMs: 1_000,
      concurrency: 64,
      ...(process.env.STUCK_ORDERED === 'yes' && { orderingKey: 'subject' }),
    },
  ).ready
  process.send!({ ready: true })
}

void run()
