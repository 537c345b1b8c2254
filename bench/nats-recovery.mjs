// node bench/nats-recovery.mjs: how soon a group on NATS goes on after a restart, with events that are due in days, and
// after a server that forgot every ack of it. NEXUS_NATS_SERVER names another server than the system's.
import { once } from 'node:events'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { DATA, freePort, scratch, startServer } from './bus-slices.mjs'

const FOUR_DAYS_MS = 4 * 86_400_000
const batch = (length, type) => Array.from({ length }, () => ({ type, data: DATA, subject: 'one' }))

const port = await freePort()
const folder = scratch()
const startNats = () =>
  startServer(
    process.env.NEXUS_NATS_SERVER ?? 'nats-server',
    ['-a', '127.0.0.1', '-p', port, '-js', '-sd', folder],
    port,
  )
const openBus = () => EventBus.open({ store: natsStore({ servers: [`nats://127.0.0.1:${port}`] }) })

let handled = 0
let last = ''
async function subscribe(bus, type, options) {
  const handler = ({ event }) => {
    handled += 1
    last = event.id
  }
  await bus.subscribe(type, handler, { group: type, fetch: { batchSize: 256 }, ...options }).ready
}
async function until(isSo) {
  while (!isSo()) await pause(1)
}
async function publish(bus, count, type, options) {
  for (let at = 0; at < count; at += 1_000) await bus.publishBatch(batch(1_000, type), options)
}
/** From the subscription of a new process to the first event that it gets. */
async function msToNext(bus, type, options) {
  const began = performance.now()
  await subscribe(bus, type, options)
  await bus.publish({ type, id: `next ${type}`, subject: 'one' })
  await until(() => last === `next ${type}`)
  return Math.round(performance.now() - began)
}

let server = await startNats()
let bus = await openBus()
const ordered = { orderingKey: 'subject', concurrency: 64 }
await subscribe(bus, 'ordered', ordered)
await publish(bus, 10_000, 'ordered', { delayMs: FOUR_DAYS_MS })
await publish(bus, 20_000, 'ordered')
await until(() => handled === 20_000)
const { version, schedules } = await bus
  .getStats()
  .then(({ store: { details } }) => ({ version: details.serverVersion, ...details }))
console.log(`nats-server ${version}, ${schedules ? 'with' : 'without'} message schedules`)
await bus.close()

bus = await openBus()
const afterRestart = await msToNext(bus, 'ordered', ordered)
console.log(`ordered group, 10,000 due in days, 20,000 handled: goes on in ${afterRestart} ms`)

handled = 0
await subscribe(bus, 'torn', { concurrency: 256 })
await publish(bus, 100_000, 'torn')
await until(() => handled === 100_000)
await bus.close()
server.kill('SIGKILL')
await once(server, 'exit')
truncateSync(join(folder, 'jetstream/$G/streams/nexus_events/obs/torn/o.dat'))
server = await startNats()
bus = await openBus()
const afterTear = await msToNext(bus, 'torn', { concurrency: 256 })
console.log(
  `acks of 100,000 forgotten: goes on in ${afterTear} ms, ${Math.round(1e8 / afterTear)} acked away per second, ${handled - 100_001} handled again`,
)
process.exit(0)
