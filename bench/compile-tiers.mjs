// What a compiled handler costs from each tier, against compiling it; and how long a 1 MB bundle holds up
// the calling thread. Run after `pnpm build`: node bench/compile-tiers.mjs
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const packageUrl = new URL('../packages/compile-cache/package.json', import.meta.url)
const require = createRequire(packageUrl)
const { HandlerCompiler } = await import(new URL('dist/index.js', packageUrl))
const { EvalFlags, QuickJS } = await import(require.resolve('quickjs-wasi'))

const ROUNDS = 150
const HITS_PER_ROUND = 2000
const MODULE_ONLY = EvalFlags.TYPE_MODULE | EvalFlags.COMPILE_ONLY

/** A handler of `length` characters; every seed gives another one. */
function handlerOf(length, seed) {
  let source = ''
  for (let n = 0; source.length < length; n++) {
    source += `export function f${n}(event) { const items = event.items.map((x) => ({ ...x, total: x.qty * x.price + ${n} })); let t = ${seed}; for (const item of items) { if (item.total > 10) t += item.total; else t -= item.qty } return { total: t, name: \`n\${t}\` } }\n`
  }
  return `${source}export default (event) => f0(event)\n`
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const measure = async (work) => {
  const started = performance.now()
  await work()
  return (performance.now() - started) * 1000
}
/** The longest time in milliseconds during which nothing else got a turn. */
const longestStall = async (work) => {
  let longest = 0
  let last = performance.now()
  let done = false
  const tick = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!done) setTimeout(tick)
  }
  tick()
  await work()
  done = true
  tick()
  return longest
}
const show = (rows) => {
  for (const [name, ...cells] of rows) {
    console.log(name.padEnd(46), ...cells.map((cell) => String(cell).padStart(14)))
  }
}

const cacheDir = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
const wasm = await WebAssembly.compile(await readFile(require.resolve('quickjs-wasi/quickjs.wasm')))
const bare = await QuickJS.create({ wasm })
const source = handlerOf(48 * 1024, 0)

const memory = new HandlerCompiler({ cacheDir })
await memory.precompile([source])
const times = { bare: [], ours: [], memory: [], disk: [] }
for (let round = 0; round < ROUNDS; round++) {
  times.bare.push(await measure(() => bare.compile(source, 'handler.js', MODULE_ONLY)))

  const other = handlerOf(48 * 1024, round + 1)
  const cold = new HandlerCompiler({ cacheDir: false, offloadLength: 1_000_000 })
  await cold.compile('export default 1') // the engine is loaded
  times.ours.push(await measure(() => cold.compile(other)))
  await cold.close()

  times.memory.push(
    (await measure(async () => {
      for (let n = 0; n < HITS_PER_ROUND; n++) await memory.compile(source)
    })) / HITS_PER_ROUND,
  )

  const restarted = new HandlerCompiler({ cacheDir })
  await restarted.compile('export default 1') // the directory has been used
  times.disk.push(await measure(() => restarted.compile(source)))
  const { disk } = restarted.getStats()
  if (disk.hits !== (round === 0 ? 1 : 2)) throw new Error('that was no disk hit')
  await restarted.close()
}
await memory.close()

const compile = median(times.bare)
const ratio = (name) => `${(compile / median(times[name])).toFixed(1)} ×`
console.log(`48 KB handler, median of ${ROUNDS} rounds`)
show([
  ['', 'µs', 'faster', 'target'],
  ['compile (bare vm.compile)', compile.toFixed(0), '', ''],
  ['compile through HandlerCompiler', median(times.ours).toFixed(0), ratio('ours'), ''],
  ['memory hit', median(times.memory).toFixed(2), ratio('memory'), '≥ 1,000 ×'],
  ['disk hit (another process wrote it)', median(times.disk).toFixed(0), ratio('disk'), '≥ 10 ×'],
])

const stalls = { thread: [], inline: [] }
for (let round = 0; round < 5; round++) {
  for (const [where, offloadLength] of [
    ['thread', 65_536],
    ['inline', 8_000_000],
  ]) {
    const compiler = new HandlerCompiler({ cacheDir: false, offloadLength })
    await compiler.compile(handlerOf(offloadLength === 65_536 ? 70_000 : 100, 0)) // started
    const big = handlerOf(1_000_000, round)
    stalls[where].push(await longestStall(() => compiler.compile(big)))
    await compiler.close()
  }
}
console.log('\n1 MB bundle, longest the calling thread was held up, median of 5')
show([
  ['', 'ms'],
  ['on the worker thread (the default)', median(stalls.thread).toFixed(1)],
  ['on the calling thread', median(stalls.inline).toFixed(1)],
])
bare.dispose()
await rm(cacheDir, { recursive: true })
