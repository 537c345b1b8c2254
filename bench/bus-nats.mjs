// node bench/bus-nats.mjs: the NATS store against the bare JetStream client doing the same with the same guarantee.
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import {
  DATA,
  freePort,
  inFlight,
  interleave,
  report,
  scratch,
  startServer,
} from './bus-slices.mjs'

const port = await freePort()
await startServer(
  process.env.NEXUS_NATS_SERVER ?? 'nats-server',
  ['-a', '127.0.0.1', '-p', port, '-js', '-sd', scratch()],
  port,
)
const url = `nats://127.0.0.1:${port}`

const connection = await connect({ servers: url })
const manager = await jetstreamManager(connection)
const client = jetstream(connection)
await manager.streams.add({ name: 'bare', subjects: ['bare.event.>'], allow_direct: true })
await manager.streams.add({
  name: 'bare_state',
  subjects: ['bare.id.>', 'bare.delivery.>'],
  max_msgs_per_subject: 1,
  allow_direct: true,
})

// The same guarantee: an id is stored once, for as long as it is kept, and is found again.
async function bareWrite() {
  const id = crypto.randomUUID()
  const time = new Date().toISOString()
  const event = { specversion: '1.0', id, source: '/bench', type: 'bench.event', time, data: DATA }
  await Promise.all([
    client.publish(`bare.event.${id}.bench.event`, JSON.stringify(event), {
      msgID: id,
      expect: { lastSubjectSequence: 0 },
    }),
    client.publish(`bare.id.${id}`, 'bench.event'),
  ])
  return 1
}

const bus = await EventBus.open({ store: natsStore({ servers: [url] }) })
const event = { type: 'bench.event', data: DATA }
const batch = Array.from({ length: 1000 }, () => event)

for (const width of [64, 1000]) {
  const rates = await interleave([
    {
      name: 'bare JetStream, id index',
      slice: (goOn) =>
        width === 1000
          ? inFlight(1, goOn, () =>
              Promise.all(batch.map(() => bareWrite())).then((done) => done.length),
            )
          : inFlight(width, goOn, bareWrite),
    },
    {
      name: 'nexus on NATS',
      slice: (goOn) =>
        width === 1000
          ? inFlight(1, goOn, () => bus.publishBatch(batch).then(() => 1000))
          : inFlight(width, goOn, () => bus.publish(event).then(() => 1)),
    },
  ])
  const title = width === 1000 ? 'batches of 1,000' : `${width} in flight`
  report(`publish, ${title}`, rates, 'bare JetStream, id index')
}

await manager.consumers.add('bare', {
  durable_name: 'bench',
  ack_policy: AckPolicy.Explicit,
  max_ack_pending: -1,
})
const bareConsumer = await client.consumers.get('bare', 'bench')
let handled = 0
const subscription = bus.subscribe(
  'bench.event',
  () => {
    handled += 1
  },
  { group: 'bench', start: 'beginning', concurrency: 256, fetch: { batchSize: 256 } },
)
await subscription.ready
subscription.pause()

// Each keeps a record of what became of each event, as `get` needs it.
async function consumeBare(goOn) {
  let done = 0
  while (goOn()) {
    const messages = await bareConsumer.fetch({ max_messages: 256, expires: 5_000 })
    const settled = []
    for await (const message of messages) {
      message.json()
      const record = `{"status":"succeeded","attempts":1,"at":${Date.now()}}`
      settled.push(
        client.publish(`bare.delivery.bench.${message.seq}`, record).then(() => message.ack()),
      )
    }
    await Promise.all(settled)
    done += settled.length
  }
  return done
}

async function consumeNexus(goOn) {
  handled = 0
  subscription.resume()
  while (goOn()) await new Promise((resolve) => setTimeout(resolve, 20))
  subscription.pause()
  return handled
}

const rates = await interleave(
  [
    { name: 'bare fetch, ack and a record each', slice: consumeBare },
    { name: 'nexus on NATS', slice: consumeNexus },
  ],
  { rounds: 5, sliceMs: 500 },
)
report('consume', rates, 'bare fetch, ack and a record each')
process.exit(0)
