// node bench/bus-flat.mjs: whether list, get and replay of the local store stay flat as the log grows.
import { EventBus, localStore } from '@nexus/event-bus'
import { DATA, median, scratch } from './bus-slices.mjs'

const sizes = [1_000, 10_000, 100_000, 1_000_000]
const bus = await EventBus.open({ store: localStore({ path: scratch() }) })
const replayed = bus.subscribe('bench.rare', () => {}, { group: 'bench' })
await replayed.ready

async function medianMs(times, action) {
  const taken = []
  for (let n = 0; n < times; n++) {
    const started = performance.now()
    await action(n)
    taken.push(performance.now() - started)
  }
  return median(taken).toFixed(3)
}

const rows = []
let stored = 0
for (const size of sizes) {
  for (; stored < size; stored += 1000) {
    await bus.publishBatch(
      Array.from({ length: 1000 }, (_, i) => ({
        type: i === 0 ? 'bench.rare' : `bench.type${i % 10}`,
        id: `event-${stored + i}`,
        data: DATA,
      })),
    )
  }
  const pick = () => `event-${Math.floor(Math.random() * size)}`
  const rare = () => `event-${Math.floor(Math.random() * (size / 1000)) * 1000}`
  const middle = String(Math.floor(size / 2))
  const published = (await bus.list({ limit: 1, cursor: middle })).events[0].publishedAt
  rows.push({
    events: size,
    'list newest': await medianMs(200, () => bus.list()),
    'list from the middle': await medianMs(200, () => bus.list({ cursor: middle })),
    'list by type': await medianMs(200, () => bus.list({ type: 'bench.rare' })),
    'list by time': await medianMs(200, () => bus.list({ since: published, limit: 20 })),
    'get by id': await medianMs(500, () => bus.get(pick())),
    'replay by id': await medianMs(50, () => bus.replay({ id: rare() })),
  })
  console.log(rows.at(-1))
}
console.log('\nmedians in ms')
console.table(rows)
const stats = await bus.getStats()
console.log(
  `file: ${Math.round(stats.store.details.fileBytes / stats.store.events)} bytes per event`,
)
await bus.close()
process.exit(0)
