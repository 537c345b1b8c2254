// What the web APIs and real packages cost an instance that has them, and what a host call costs.
import { fileURLToPath } from 'node:url'
import { WasmRuntime } from '@nexus/executor'
import { trivial } from './handlers.mjs'
import { packageHandlers } from './package-handlers.mjs'
import { printTable, timeCalls, verdict } from './slices.mjs'

const web = 'const apis = [fetch, URL, crypto]; export default (event) => event'
const context = { event: { n: 1 }, capabilities: ['ext:host'] }

const runtime = new WasmRuntime({ threads: 0, cacheDir: false, maxHostCalls: 1e6 })
runtime.extend('host', { echo: (value) => value })

const rows = [['', 'shared p50 µs', 'pristine p50 µs', 'p99 µs', 'rewind µs']]
const handlers = {
  plain: await runtime.precompileHandler(trivial),
  'with web APIs': await runtime.precompileHandler(web),
}
const timed = await timeCalls(
  Object.fromEntries(
    Object.entries(handlers).flatMap(([name, handler]) => [
      [`${name}`, () => runtime.executeCompiledHandler(handler, context)],
      [
        `${name}, shared`,
        () => runtime.executeCompiledHandler(handler, context, { isolation: 'shared' }),
      ],
    ]),
  ),
  { slices: 20, callsPerSlice: 1000, warmUp: 5000 },
)
const rewind = (name) => timed[name].p50 - timed[`${name}, shared`].p50
for (const name of Object.keys(handlers)) {
  rows.push([
    name,
    timed[`${name}, shared`].p50.toFixed(2),
    timed[name].p50.toFixed(2),
    timed[name].p99.toFixed(2),
    rewind(name).toFixed(2),
  ])
}
printTable(rows)

/** A call makes this many host calls, so that what one of them costs stands out. */
const CALLS = 100
const loop = (body) =>
  `export default async (event, ctx) => { for (let i = 0; i < ${CALLS}; i++) ${body} }`
const hostCalls = {
  none: await runtime.precompileHandler(loop('await null')),
  sync: await runtime.precompileHandler(loop('console.log()')),
  async: await runtime.precompileHandler(loop(`await ctx.call('host', 'echo', i)`)),
  parallel: await runtime.precompileHandler(
    `export default (event, ctx) => Promise.all(Array.from({ length: ${CALLS} }, (_, i) => ctx.call('host', 'echo', i)))`,
  ),
}
const calls = await timeCalls(
  Object.fromEntries(
    Object.entries(hostCalls).map(([name, handler]) => [
      name,
      () => runtime.executeCompiledHandler(handler, context, { maxHostCalls: 1000 }),
    ]),
  ),
  { slices: 20, callsPerSlice: 20, warmUp: 50 },
)
console.log()
const perCall = (name) => (calls[name].p50 - calls.none.p50) / CALLS
printTable([
  ['a host call, guest to host and back', 'p50 µs'],
  ['sync (a log line)', perCall('sync').toFixed(2)],
  ['async (a host function), one after the other', perCall('async').toFixed(2)],
  ['async, 100 at once', perCall('parallel').toFixed(2)],
])
console.log()
const packages = [['a handler made of', 'bytecode and image KB', 'p50 µs']]
const handlerBytes = () =>
  runtime.getStats().engines.reduce((sum, one) => sum + one.handlerBytes, 0)
const folder = new URL('../packages/executor/test/packages/', import.meta.url)
for (const [name, event] of Object.entries(packageHandlers)) {
  const before = handlerBytes()
  const handler = await runtime.precompileFile(fileURLToPath(new URL(`${name}.ts`, folder)))
  const run = () => runtime.executeCompiledHandler(handler, { event })
  const { error } = await run()
  const bytes = handlerBytes() - before
  const options = { slices: 3, callsPerSlice: 5, warmUp: 3 }
  const { p50 } = (await timeCalls({ [name]: run }, options))[name]
  packages.push([
    name,
    (bytes / 1024).toFixed(0),
    error ? error.message.slice(0, 60) : p50.toFixed(0),
  ])
}
printTable(packages)
console.log()
verdict('rewinding web APIs against plain', rewind('with web APIs') / rewind('plain'), '≤2')
await runtime.shutdown()
