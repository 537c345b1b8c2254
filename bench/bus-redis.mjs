// node bench/bus-redis.mjs: the Redis store against bare ioredis doing the same with the same guarantee.
import { EventBus } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { Redis } from 'ioredis'
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
const url = `redis://127.0.0.1:${port}`
const settings = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec']
// A rewrite of the file would hit one contestant or the other.
settings.push('--auto-aof-rewrite-percentage', '0')
await startServer(
  'redis-server',
  ['--port', port, '--bind', '127.0.0.1', '--dir', scratch(), ...settings],
  port,
)

// The same guarantee: an id is stored once and found again, by type and by source too.
const APPEND = `
for i = 1, #ARGV, 4 do
  if redis.call('HEXISTS', 'bare:ids', ARGV[i]) == 0 then
    local n = redis.call('INCR', 'bare:head')
    redis.call('HSET', 'bare:ids', ARGV[i], n)
    redis.call('XADD', 'bare:events', n .. '-0', 'j', ARGV[i + 3])
    redis.call('ZADD', 'bare:type:' .. ARGV[i + 1], n, n)
    redis.call('ZADD', 'bare:source:' .. ARGV[i + 2], n, n)
  end
end`
const bare = new Redis(url)
const reader = new Redis(url)
const digest = await bare.script('LOAD', APPEND)
const bareEvent = () => {
  const id = crypto.randomUUID()
  const time = new Date().toISOString()
  const event = { specversion: '1.0', id, source: '/bench', type: 'bench.event', time, data: DATA }
  return [id, 'bench.event', '/bench', JSON.stringify(event)]
}
const bareWrite = (count) =>
  bare.evalsha(digest, 0, ...Array.from({ length: count }, bareEvent).flat()).then(() => count)

const bus = await EventBus.open({ store: redisStore({ url }) })
const event = { type: 'bench.event', data: DATA }
const batch = Array.from({ length: 1000 }, () => event)

for (const width of [64, 1000]) {
  const rates = await interleave([
    {
      name: 'bare ioredis, one script, the same indexes',
      slice: (goOn) =>
        width === 1000
          ? inFlight(1, goOn, () => bareWrite(1000))
          : inFlight(width, goOn, () => bareWrite(1)),
    },
    {
      name: 'nexus on Redis',
      slice: (goOn) =>
        width === 1000
          ? inFlight(1, goOn, () => bus.publishBatch(batch).then(() => 1000))
          : inFlight(width, goOn, () => bus.publish(event).then(() => 1)),
    },
  ])
  const title = width === 1000 ? 'batches of 1,000' : `${width} in flight`
  report(
    `publish, ${title} (appendfsync everysec)`,
    rates,
    'bare ioredis, one script, the same indexes',
  )
}

// Consume: each keeps a record of what became of each event, as `get` needs it.
await bare.xgroup('CREATE', 'bare:events', 'bench', '0')
let handled = 0
let handler = () => {}
const subscription = bus.subscribe('bench.event', () => handler(), {
  group: 'bench',
  start: 'beginning',
  concurrency: 256,
  fetch: { batchSize: 256 },
})
await subscription.ready
subscription.pause()

async function consumeBare(goOn) {
  let done = 0
  while (goOn()) {
    const found = await reader.xreadgroup(
      'GROUP',
      'bench',
      'one',
      'COUNT',
      256,
      'STREAMS',
      'bare:events',
      '>',
    )
    if (found === null) throw new Error('the bare stream is empty, publish more')
    const pipeline = bare.pipeline()
    for (const [id, [, json]] of found[0][1]) {
      JSON.parse(json)
      pipeline.xack('bare:events', 'bench', id)
      pipeline.hset('bare:deliveries', id, `{"status":"succeeded","attempts":1,"at":${Date.now()}}`)
    }
    await pipeline.exec()
    done += found[0][1].length
  }
  return done
}

async function consumeNexus(goOn) {
  handled = 0
  handler = () => {
    handled += 1
  }
  subscription.resume()
  while (goOn()) await new Promise((resolve) => setTimeout(resolve, 20))
  subscription.pause()
  return handled
}

const rates = await interleave(
  [
    { name: 'bare XREADGROUP, XACK and a record each', slice: consumeBare },
    { name: 'nexus on Redis', slice: consumeNexus },
  ],
  { rounds: 5, sliceMs: 500 },
)
report('consume', rates, 'bare XREADGROUP, XACK and a record each')
process.exit(0)
