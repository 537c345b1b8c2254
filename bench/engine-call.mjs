// One pristine call, inline: against the same engine called bare, and without the rewind.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { WasmRuntime } from '@nexus/executor'
import { EvalFlags, QuickJS } from 'quickjs-wasi'
import { order, orderEvent, trivial } from './handlers.mjs'
import { printTable, timeCalls, verdict } from './slices.mjs'

const wasm = await WebAssembly.compile(
  readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')),
)

/** A warm engine that is never rewound: JSON in, JSON out. */
async function bareEngine(source) {
  const vm = await QuickJS.create({ wasm, maxStackSize: 256 * 1024, interruptHandler: () => false })
  const pending = vm.evalCode(source, 'handler.js', EvalFlags.TYPE_MODULE)
  vm.executePendingJobs()
  const { value: namespace } = await vm.resolvePromise(pending)
  vm.setProp(vm.global, 'handler', namespace.getProp('default'))
  const run = vm.evalCode('(json) => JSON.stringify(handler(JSON.parse(json)))')
  return (event) => {
    const input = vm.newString(JSON.stringify(event))
    const output = vm.callFunction(run, vm.undefined, input)
    const value = JSON.parse(output.toString())
    output.dispose()
    input.dispose()
    return value
  }
}

const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
const rows = [['handler', 'bare warm p50 µs', 'shared p50 µs', 'pristine p50 µs', 'p99 µs']]
const results = {}
for (const [name, source, event] of [
  ['trivial', trivial, { n: 1 }],
  ['order of 10', order, orderEvent],
]) {
  const compiled = await runtime.precompileHandler(source)
  const bare = await bareEngine(source)
  const context = { event }
  const timed = await timeCalls(
    {
      bare: () => bare(event),
      shared: () => runtime.executeCompiledHandler(compiled, context, { isolation: 'shared' }),
      pristine: () => runtime.executeCompiledHandler(compiled, context),
    },
    { slices: 20, callsPerSlice: 1000, warmUp: 5000 },
  )
  results[name] = timed
  rows.push([
    name,
    timed.bare.p50.toFixed(2),
    timed.shared.p50.toFixed(2),
    timed.pristine.p50.toFixed(2),
    timed.pristine.p99.toFixed(2),
  ])
}
printTable(rows)
console.log()
const { trivial: small, 'order of 10': large } = results
verdict('trivial call, pristine', small.pristine.p50, '≤6', 'µs')
verdict(
  'trivial call, pristine against a bare warm call',
  small.pristine.p50 / small.bare.p50,
  '≤5',
)
verdict('order call, pristine against no rewind', large.pristine.p50 / large.shared.p50, '≤1.15')
verdict(
  'order call, pristine against a bare warm call',
  large.pristine.p50 / large.bare.p50,
  '≤1.15',
)
await runtime.shutdown()
