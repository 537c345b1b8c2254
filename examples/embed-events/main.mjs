import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost } from '@nexus/functions'

// Ten lines: a bus, a sandbox, and the functions that run on its events.
const bus = await EventBus.open({ store: memoryStore() })
const runtime = new WasmRuntime({ cacheDir: false })
const host = new FunctionHost({ bus, runtime })
const total = {
  name: 'total',
  file: new URL('functions/total.js', import.meta.url),
  events: 'order.created',
  capabilities: ['events:emit:order.totalled'],
}
const receipt = { name: 'receipt', source: receiptSource(), events: 'order.totalled' }
await host.bind([total, receipt])

/** Code that a customer wrote and that you keep in your database. */
function receiptSource() {
  return `export default (event, ctx) => {
    if (ctx.attempt === 1) throw new Error('the printer is busy')
    return 'Please pay ' + event.data.total
  }`
}

// Your own server, with a route of yours that publishes an event.
const server = createServer(async (request, response) => {
  const { id } = await bus.publish({ type: 'order.created', data: await json(request) })
  response.writeHead(202).end(id)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const receipts = waitFor('receipt')

const answer = await fetch(`http://127.0.0.1:${server.address().port}/orders`, {
  method: 'POST',
  body: JSON.stringify({ prices: [12, 30] }),
})
const receiptId = await receipts
show(await host.runs({ id: await answer.text() }))
show(await host.runs({ id: receiptId }))

/** The id of the event that a function has handled. */
function waitFor(name) {
  return new Promise((resolve) => {
    bus.on('delivered', ({ group, event }) => {
      if (group === name) resolve(event.id)
    })
  })
}

function show(runs) {
  for (const { function: name, status, attempts, value } of runs) {
    console.log(`${name}: ${status} after ${attempts} attempt(s), ${JSON.stringify(value)}`)
  }
}

server.close()
await host.close()
await bus.close()
await runtime.shutdown()
