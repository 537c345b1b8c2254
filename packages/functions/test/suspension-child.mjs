// A process that is killed: runs a function for each of `count` events, which is suspended four times, twice for a time and twice
// for an event that another function answers with, until all have ended.
import { EventBus, localStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost } from '../dist/index.js'

const [path, count] = process.argv.slice(2)
const bus = await EventBus.open({ store: localStore({ path }) })
const runtime = new WasmRuntime({ threads: 0, cacheDir: false, timeoutMs: 20_000 })
const host = new FunctionHost({ bus, runtime })
const retry = { maxAttempts: 1_000, baseDelayMs: 1, maxDelayMs: 20 }
await host.bind([
  {
    name: 'walk',
    source: `export default async (event, ctx) => {
      const seen = new Set()
      for (let step = 0; step < 4; step++) {
        const match = { 'data.order': event.id, 'data.step': step }
        const answer = step % 2 === 0 ? ctx.sleep(1 + step) : ctx.waitFor('walk.answer', { match })
        await ctx.emit('walk.step', { order: event.id, step })
        await answer
        seen.add(step)
      }
      await ctx.emit('walk.end', { order: event.id, steps: [...seen] })
      return seen.size
    }`,
    events: 'walk',
    capabilities: ['events:emit:walk.*', 'events:wait:walk.answer'],
    retry,
  },
  {
    name: 'answer',
    source: `export default async ({ data }, ctx) => {
      if (data.step % 2) await ctx.emit('walk.answer', data)
    }`,
    events: 'walk.step',
    capabilities: ['events:emit:walk.answer'],
    retry,
  },
])
const events = Array.from({ length: Number(count) }, (_, n) => ({
  type: 'walk',
  id: `o${n}`,
  source: '/test',
  data: null,
}))
// Its parent kills it after some of these, so that every stage is hit however fast the machine is.
bus.on('delivered', () => process.send('delivered'))
await bus.publishBatch(events)
for (let ended = 0; ended < Number(count); ) {
  await new Promise((resolve) => setTimeout(resolve, 20))
  ended = (await bus.list({ type: 'walk.end', limit: 1 })).total
}
await host.close()
await bus.close()
await runtime.shutdown()
process.exit(0)
