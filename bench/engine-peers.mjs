// One call of the order handler in a sandbox that starts pristine, against isolated-vm and run.
//
//   npm --prefix bench/peers install
//   bench/peers/node_modules/.bin/node bench/engine-peers.mjs
import { createRequire } from 'node:module'
import { WasmRuntime } from '@nexus/executor'
import { order, orderEvent } from './handlers.mjs'
import { printTable, timeCalls, verdict } from './slices.mjs'

const peers = createRequire(new URL('peers/package.json', import.meta.url))
const ivm = peers('isolated-vm')
const { createRunner } = await import('./peers/node_modules/run/dist/index.js')

const body = order.replace('export default function', 'globalThis.handler = function')
const eventJson = JSON.stringify(orderEvent)

async function freshIsolate() {
  const isolate = new ivm.Isolate({ memoryLimit: 32 })
  const context = await isolate.createContext()
  await context.eval(body)
  const result = await context.eval(`JSON.stringify(handler(${eventJson}))`, { copy: true })
  isolate.dispose()
  return JSON.parse(result)
}

const runner = createRunner()
const runSource = `${body}\nreturn handler(${eventJson})`
async function freshRun() {
  const result = await runner.run({ source: runSource })
  if (result.status !== 'completed') throw new Error(JSON.stringify(result))
  return result.value
}

const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
const threaded = new WasmRuntime({ threads: 1, cacheDir: false })
const compiled = await runtime.precompileHandler(order)
await threaded.precompileHandler(order)
const context = { event: orderEvent }
const ours = async (owner) => {
  const result = await owner.executeCompiledHandler(compiled, context)
  if (result.status !== 'success') throw new Error(result.error.message)
  return result.value
}

const expected = JSON.stringify(await ours(runtime))
for (const [name, call] of Object.entries({ freshIsolate, freshRun })) {
  const got = JSON.stringify(await call())
  if (got !== expected) throw new Error(`${name} gave ${got}, expected ${expected}`)
}

const timed = await timeCalls(
  {
    'nexus, pristine, inline': () => ours(runtime),
    'nexus, pristine, on a thread': () => ours(threaded),
    'isolated-vm, fresh isolate': freshIsolate,
    'run, fresh context': freshRun,
  },
  { slices: 20, callsPerSlice: 25, warmUp: 50 },
)
const own = timed['nexus, pristine, inline'].p50
printTable([
  ['sandbox', 'p50 µs', 'p99 µs', '× nexus inline'],
  ...Object.entries(timed).map(([name, { p50, p99 }]) => [
    name,
    p50.toFixed(1),
    p99.toFixed(1),
    (p50 / own).toFixed(1),
  ]),
])
console.log()
verdict(
  'faster than a fresh isolated-vm isolate',
  timed['isolated-vm, fresh isolate'].p50 / own,
  '≥20',
)
verdict('faster than run', timed['run, fresh context'].p50 / own, '≥60')
await runtime.shutdown()
await threaded.shutdown()
process.exit(0)
