// What suspending a call costs: freeze and store (memory), thaw and run to the end, and what an image holds.
import { fileURLToPath } from 'node:url'
import { MemorySuspensionStore, WasmRuntime } from '@nexus/executor'
import { printTable, verdict } from './slices.mjs'

const WARM_UP = 200
const ROUNDS = 1000
const store = new MemorySuspensionStore()
const runtime = new WasmRuntime({ threads: 0, cacheDir: false, suspensions: { store } })
const path = (name) => fileURLToPath(new URL(name, import.meta.url))

const handlers = {
  small: await runtime.precompileHandler(
    `export default async (event, ctx) => { const total = event.n * 2; return total + (await ctx.suspend('x', { total })) }`,
  ),
  'with zod': await runtime.precompileFile(
    path('../packages/executor/test/suspend/with-package.mjs'),
  ),
}
const value = { small: 1, 'with zod': { name: 'Ada', age: 36 } }

const measured = {}
const rows = [['', 'suspend p50 ms', 'resume p50 ms', 'image KB']]
for (const [name, handler] of Object.entries(handlers)) {
  const [suspending, resuming] = [[], []]
  let imageBytes = 0
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const start = performance.now()
    const { suspension } = await runtime.executeCompiledHandler(handler, { event: { n: 1 } })
    const suspended = performance.now()
    await runtime.resumeHandler(suspension.suspensionId, { success: true, value: value[name] })
    const resumed = performance.now()
    if (round >= WARM_UP) {
      suspending.push(suspended - start)
      resuming.push(resumed - suspended)
    }
    imageBytes = suspension.imageBytes
    for (const one of await store.list()) await store.remove(one)
  }
  const figures = [p50(suspending), p50(resuming), imageBytes / 1024]
  measured[name] = figures
  rows.push([name, ...figures.map((figure) => figure.toFixed(2))])
}
printTable(rows)
console.log()
const [suspend, resume, imageKb] = measured.small
verdict('suspending a small call', suspend, '≤0.5', 'ms')
verdict('resuming a small call', resume, '≤0.5', 'ms')
verdict('image of a small call', imageKb, '≤8', 'KB')
verdict('image of a call with zod', measured['with zod'][2], '≤40', 'KB')
await runtime.shutdown()

function p50(times) {
  return times.sort((a, b) => a - b)[times.length / 2]
}
