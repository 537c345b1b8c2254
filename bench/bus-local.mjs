// node bench/bus-local.mjs: the local store against bare lmdb, BullMQ (fsync always) and append + fdatasync.
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { EventBus, localStore } from '@nexus/event-bus'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { open } from 'lmdb'
import { v7 as timeOrderedId } from 'uuid'
import {
  DATA,
  freePort,
  inFlight,
  interleave,
  median,
  report,
  scratch,
  startServer,
} from './bus-slices.mjs'

const redisPort = await freePort()
const redisOptions = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
await startServer(
  'redis-server',
  ['--port', redisPort, '--bind', '127.0.0.1', '--dir', scratch(), ...redisOptions],
  redisPort,
)
const queue = new Queue('bench', {
  connection: new Redis({ port: redisPort, host: '127.0.0.1', maxRetriesPerRequest: null }),
})
await queue.waitUntilReady()

const control = openSync(join(scratch(), 'control'), 'a')
const line = JSON.stringify(DATA)

const bare = open({ path: join(scratch(), 'bare.mdb'), maxDbs: 8 })
const events = bare.openDB({ name: 'events', encoding: 'binary' })
const ids = bare.openDB({ name: 'ids', encoding: 'json' })
const types = bare.openDB({ name: 'types', encoding: 'binary' })
let sequence = 0
const empty = Buffer.alloc(0)
function bareWrite(count) {
  for (let i = 0; i < count; i++) {
    sequence += 1
    const id = timeOrderedId()
    const time = new Date().toISOString()
    const event = {
      specversion: '1.0',
      id,
      source: '/bench',
      type: 'bench.event',
      time,
      data: DATA,
    }
    events.put(sequence, Buffer.from(JSON.stringify(event)))
    ids.put(id, sequence)
    types.put(['bench.event', sequence], empty)
  }
  return bare.flushed.then(() => count)
}

const bus = await EventBus.open({ store: localStore({ path: scratch() }) })
const event = { type: 'bench.event', data: DATA }
const batch = Array.from({ length: 1000 }, () => event)
const jobs = batch.map(() => ({ name: 'bench.event', data: DATA }))

const contestants = (width) => [
  {
    name: 'append + fdatasync, one by one',
    slice: async (goOn) => {
      let done = 0
      for (; goOn(); done++) {
        writeSync(control, line)
        fdatasyncSync(control)
      }
      return done
    },
  },
  {
    name: 'bare lmdb, id and type index, flushed',
    slice: (goOn) =>
      width === 1000
        ? inFlight(1, goOn, () => bareWrite(1000))
        : inFlight(width, goOn, () => bareWrite(1)),
  },
  {
    name: 'nexus local',
    slice: (goOn) =>
      width === 1000
        ? inFlight(1, goOn, () => bus.publishBatch(batch).then(() => 1000))
        : inFlight(width, goOn, () => bus.publish(event).then(() => 1)),
  },
  {
    name: 'BullMQ, appendfsync always',
    slice: (goOn) =>
      width === 1000
        ? inFlight(1, goOn, () => queue.addBulk(jobs).then(() => 1000))
        : inFlight(width, goOn, () => queue.add('bench.event', DATA).then(() => 1)),
  },
]

for (const width of [1, 64, 1000]) {
  const title = width === 1000 ? 'publish, batches of 1,000' : `publish, ${width} in flight`
  const rates = await interleave(contestants(width))
  report(`${title} (disk-durable)`, rates, 'bare lmdb, id and type index, flushed')
}
await queue.obliterate({ force: true })
await queue.close()
await bus.close()

{
  const path = scratch()
  const roundTrip = await EventBus.open({ store: localStore({ path }) })
  const waiting = new Map()
  const subscription = roundTrip.subscribe('bench.event', () => {}, {
    group: 'bench',
    concurrency: 64,
  })
  await subscription.ready
  roundTrip.on('delivered', ({ event: { id } }) => {
    waiting.get(id)?.()
    waiting.delete(id)
  })
  let n = 0
  const rates = await interleave([
    {
      name: 'publish → deliver → ack, 64 in flight',
      slice: (goOn) =>
        inFlight(64, goOn, async () => {
          const id = `event-${n++}`
          const acked = new Promise((resolve) => waiting.set(id, resolve))
          await roundTrip.publish({ type: 'bench.event', id, data: DATA })
          await acked
          return 1
        }),
    },
  ])
  report('round trip (disk-durable)', rates, 'publish → deliver → ack, 64 in flight')
  await roundTrip.close()
}

{
  const paced = await EventBus.open({ store: localStore({ path: scratch(), durability: 'os' }) })
  const latencies = []
  const subscription = paced.subscribe(
    'bench.event',
    ({ event: { data } }) => void latencies.push(performance.now() - data.at),
    { group: 'bench', concurrency: 64 },
  )
  await subscription.ready
  const started = performance.now()
  for (let n = 0; n < 5000; n++) {
    const due = started + n * 2
    while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve))
    void paced.publish({ type: 'bench.event', data: { ...DATA, at: performance.now() } })
  }
  await paced.close()
  latencies.sort((a, b) => a - b)
  const at = (share) => latencies[Math.floor(latencies.length * share)].toFixed(2)
  console.log(
    `\nend to end at 500 events/s, os level: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(0.9999)} ms (median of ${latencies.length}: ${median(latencies).toFixed(2)})`,
  )
}

{
  const idle = await EventBus.open({ store: localStore({ path: scratch() }) })
  for (let n = 0; n < 100; n++) {
    await idle.subscribe(`bench.type${n}.>`, () => {}, { group: `group-${n}` }).ready
  }
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  const { user, system } = process.cpuUsage(before)
  console.log(
    `idle with 100 subscriptions: ${((user + system) / 1e5).toFixed(2)} % of one CPU over 10 s`,
  )
  await idle.close()
}
process.exit(0)
