// A process that is killed: it places orders for the moon, each of which kills it once, before the line of its number.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBus, localStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost } from '@nexus/functions'

const [directory, functions, placeOrder, lines] = process.argv.slice(2)
const bus = await EventBus.open({ store: localStore({ path: join(directory, 'bus') }) })
const runtime = new WasmRuntime({ threads: 0, cacheDir: join(directory, 'cache') })
runtime.extend('test', {
  line(order, line) {
    const mark = join(directory, `killed-${line}`)
    if (order !== `o${line}` || existsSync(mark)) return
    writeFileSync(mark, '')
    process.kill(process.pid, 'SIGKILL')
  },
})
const host = new FunctionHost({ bus, runtime })
const retry = { maxAttempts: 100, baseDelayMs: 1 }
const service = (name, events = []) => ({
  name,
  file: join(functions, `${name}.ts`),
  events,
  capabilities: ['events:emit:com.nexus.>'],
  retry,
})
await host.bind([
  {
    name: 'place-order',
    file: placeOrder,
    events: ['com.nexus.order.created'],
    capabilities: ['ext:test', 'invoke:>', 'events:emit:com.nexus.>', 'events:wait:com.nexus.>'],
    retry,
  },
  service('stock'),
  service('payment'),
  service('courier', ['com.nexus.courier.requested']),
])
const orders = lines.split(',').map((line) => `o${line}`)
await bus.publishBatch(
  orders.map((id) => ({
    type: 'com.nexus.order.created',
    source: '/shop',
    id,
    data: { id, total: 90, address: 'the moon' },
  })),
)
for (const id of orders) {
  const runOf = async () => (await host.runs({ id, source: '/shop' }))?.[0]
  while ((await runOf())?.status !== 'succeeded') await new Promise((done) => setTimeout(done, 10))
}
await host.close()
await bus.close()
await runtime.shutdown()
process.exit(0)
