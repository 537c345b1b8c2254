// Memory over a million calls, over a thousand killed threads, and of 10,000 loaded handlers.
//
//   node --expose-gc bench/engine-memory.mjs [--calls 1000000] [--kills 1000] [--handlers 10000]
import { parseArgs } from 'node:util'
import { WasmRuntime } from '@nexus/executor'
import { trivial } from './handlers.mjs'
import { printTable, quantile, verdict } from './slices.mjs'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    kills: { type: 'string', default: '1000' },
    handlers: { type: 'string', default: '10000' },
  },
})

async function residentMiB() {
  globalThis.gc?.()
  await new Promise((resolve) => setImmediate(resolve))
  globalThis.gc?.()
  return process.memoryUsage().rss / 2 ** 20
}

/** Least squares: MiB per step over equally spaced samples. */
function slope(samples) {
  const n = samples.length
  const meanX = (n - 1) / 2
  const meanY = samples.reduce((sum, y) => sum + y, 0) / n
  let top = 0
  let bottom = 0
  samples.forEach((y, x) => {
    top += (x - meanX) * (y - meanY)
    bottom += (x - meanX) ** 2
  })
  return top / bottom
}

async function overCalls(total) {
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  const compiled = await runtime.precompileHandler(trivial)
  const samples = []
  const steps = 20
  for (let step = 0; step < steps + 2; step++) {
    for (let i = 0; i < total / steps; i++) {
      await runtime.executeCompiledHandler(compiled, { event: i })
    }
    if (step > 1) samples.push(await residentMiB())
  }
  await runtime.shutdown()
  return { samples, perMillion: slope(samples) * steps * (1_000_000 / total) }
}

async function overKills(total) {
  const runtime = new WasmRuntime({ threads: 2, cacheDir: false, hardTimeoutGraceMs: 1 })
  const samples = []
  const steps = 10
  for (let step = 0; step < steps + 1; step++) {
    for (let i = 0; i < total / steps; i++) {
      // Another handler each time: one that keeps at it would be confined.
      const code = `export default () => (new Array(1e9) + "").length + ${step * total + i}`
      const { error } = await runtime.executeHandler(code, { event: null }, 5)
      if (error?.code !== 'TIMEOUT') throw new Error(`expected TIMEOUT, got ${error?.code}`)
    }
    if (step > 0) samples.push(await residentMiB())
  }
  const { threadKills } = runtime.getStats()
  await runtime.shutdown()
  return { samples, threadKills, perThousand: slope(samples) * steps * (1000 / total) }
}

async function overHandlers(total) {
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false, maxHandlerBytes: 2 ** 30 })
  const source = (n) =>
    `const rates = { base: ${n}, tax: 0.2 }\nexport default (event) => ({ total: event.n * rates.base * (1 + rates.tax), n: ${n} })`
  const before = await residentMiB()
  const handlers = []
  for (let n = 0; n < total; n++) handlers.push(await runtime.precompileHandler(source(n)))
  const after = await residentMiB()
  const times = []
  for (let i = 0; i < 2000; i++) {
    const n = Math.floor(Math.random() * total)
    const start = performance.now()
    const { value } = await runtime.executeCompiledHandler(handlers[n], { event: { n: 1 } })
    times.push((performance.now() - start) * 1000)
    if (value.n !== n) throw new Error(`handler ${n} answered as ${value.n}`)
  }
  times.sort((a, b) => a - b)
  const { handlerBytes } = runtime.getStats().engines[0]
  await runtime.shutdown()
  return {
    kibEach: ((after - before) * 1024) / total,
    imageKib: handlerBytes / 1024 / total,
    times,
  }
}

const handlers = await overHandlers(Number(values.handlers))
const calls = await overCalls(Number(values.calls))
const kills = await overKills(Number(values.kills))
printTable([
  ['memory', 'value'],
  [`${values.handlers} handlers, resident KiB each`, handlers.kibEach.toFixed(1)],
  ['  of which bytecode and image, KiB', handlers.imageKib.toFixed(1)],
  ['  call of a random one, p50 µs', quantile(handlers.times, 0.5).toFixed(0)],
  ['  call of a random one, p99 µs', quantile(handlers.times, 0.99).toFixed(0)],
  [
    `${values.calls} calls, MiB first / last`,
    `${calls.samples[0].toFixed(0)} / ${calls.samples.at(-1).toFixed(0)}`,
  ],
  ['  slope, MiB per million calls', calls.perMillion.toFixed(2)],
  [
    `${kills.threadKills} killed threads, MiB first / last`,
    `${kills.samples[0].toFixed(0)} / ${kills.samples.at(-1).toFixed(0)}`,
  ],
  ['  slope, MiB per thousand kills', kills.perThousand.toFixed(2)],
])
console.log()
verdict('resident memory of a loaded handler', handlers.kibEach, '≤100', 'KiB')
verdict('growth over a million calls', calls.perMillion, '≤5', 'MiB')
verdict('growth over a thousand kills', kills.perThousand, '≤20', 'MiB')
