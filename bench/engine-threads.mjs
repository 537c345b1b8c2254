// One call through a worker thread: idle against a bare message, pipelined, and the time to a kill.
import { Worker } from 'node:worker_threads'
import { WasmRuntime } from '@nexus/executor'
import { trivial } from './handlers.mjs'
import { printTable, quantile, timeCalls, verdict } from './slices.mjs'

const echo = new Worker(
  'const { parentPort } = require("node:worker_threads"); parentPort.on("message", (m) => parentPort.postMessage(m))',
  { eval: true },
)
const bareMessage = () =>
  new Promise((resolve) => {
    echo.once('message', resolve)
    echo.postMessage([{ kind: 'call', eventJson: '{"n":1}' }])
  })

const runtime = new WasmRuntime({ threads: 1, cacheDir: false })
const compiled = await runtime.precompileHandler(trivial)
const context = { event: { n: 1 } }
const call = () => runtime.executeCompiledHandler(compiled, context)

const idle = await timeCalls(
  { bareMessage, call },
  { slices: 20, callsPerSlice: 250, warmUp: 1000 },
)

const rates = []
for (let round = 0; round < 12; round++) {
  const calls = 5000
  const start = performance.now()
  await Promise.all(Array.from({ length: calls }, call))
  if (round > 1) rates.push((calls / (performance.now() - start)) * 1000)
}
rates.sort((a, b) => a - b)

const limitMs = 100
const overrun = []
const replaced = []
for (let round = 0; round < 15; round++) {
  // Another handler each round: one that keeps at it would be confined.
  const nativeLoop = await runtime.precompileHandler(
    `export default () => (new Array(1e9) + "").length + ${round}`,
  )
  const start = performance.now()
  const { error } = await runtime.executeCompiledHandler(nativeLoop, context, limitMs)
  if (error?.code !== 'TIMEOUT') throw new Error(`expected TIMEOUT, got ${error?.code}`)
  const failedAt = performance.now() - start
  await call()
  const replacedAt = performance.now() - start
  const hardDeadline = limitMs + runtime.getStats().limits.hardTimeoutGraceMs
  overrun.push(failedAt - hardDeadline)
  replaced.push(replacedAt - hardDeadline)
}
overrun.sort((a, b) => a - b)
replaced.sort((a, b) => a - b)

printTable([
  ['through a thread', 'p50', 'p99'],
  ['bare message and back, µs', idle.bareMessage.p50.toFixed(1), idle.bareMessage.p99.toFixed(1)],
  ['call, idle, µs', idle.call.p50.toFixed(1), idle.call.p99.toFixed(1)],
  ['calls per second, pipelined', Math.round(quantile(rates, 0.5)), ''],
  [
    'failed call after the hard deadline, ms',
    quantile(overrun, 0.5).toFixed(1),
    overrun.at(-1).toFixed(1),
  ],
  [
    'next call served by the new thread, ms',
    quantile(replaced, 0.5).toFixed(1),
    replaced.at(-1).toFixed(1),
  ],
])
console.log()
verdict('idle call against a bare message', idle.call.p50 / idle.bareMessage.p50, '≤2')
verdict('trivial calls per second on one thread', quantile(rates, 0.5), '≥20000', '/s')
verdict('hard deadline to the failed call', quantile(overrun, 0.5), '≤50', 'ms')
verdict('hard deadline to the replaced thread', quantile(replaced, 0.5), '≤50', 'ms')
await runtime.shutdown()
await echo.terminate()
