// The longest that one message of a guest holds up the host's event loop: every shape of value through every door, on a
// thread. The processor time of the host's thread between two turns of its loop, because machines are shared; where the
// system does not tell, the clock.
//
//   node bench/engine-stall.mjs [shape] [door]      EXECUTOR=path/to/dist/index.js measures another build
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { printTable, verdict } from './slices.mjs'
import { DOORS, SHAPES } from './worst-messages.mjs'

const MiB = 1024 * 1024
/** A case that takes longer is tried again, and the least of its longest stalls counts: the rest is the machine's. */
const WORTH_ANOTHER_TRY_MS = 10
const TRIES = 3
const { WasmRuntime } = await import(
  process.env.EXECUTOR ? resolve(process.env.EXECUTOR) : '@nexus/executor'
)

function processorMs() {
  try {
    return (
      Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6
    )
  } catch {
    return performance.now()
  }
}

const runtime = new WasmRuntime({ threads: 1, cacheDir: false, timeoutMs: 3_000 })
runtime.extend('host', { take: () => 1, echo: (value) => value })

/** The longest turn of the loop while a call is under way and right after. */
async function longestTurn(code) {
  let longest = 0
  let last = processorMs()
  let turns = Number.POSITIVE_INFINITY
  const watched = new Promise((done) => {
    const look = () => {
      const now = processorMs()
      longest = Math.max(longest, now - last)
      last = now
      if (turns-- > 0) setTimeout(look, 1)
      else done()
    }
    look()
  })
  const result = await runtime.executeHandler(code, {
    event: null,
    capabilities: ['events:emit:>', 'ext:host', 'net:127.0.0.1:9'],
  })
  turns = 5
  await watched
  return { longest, ending: result.error?.code ?? result.status }
}

const [onlyShape, onlyDoor] = process.argv.slice(2)
const rows = [['shape', 'door', 'longest ms', 'ending']]
const all = []
for (const [shape, make] of Object.entries(SHAPES)) {
  if (onlyShape && shape !== onlyShape) continue
  for (const [door, { body, shrink }] of Object.entries(DOORS)) {
    if (onlyDoor && door !== onlyDoor) continue
    // At the limit of bytes, and where the limit of steps lets more of it pass.
    for (const share of [1, 2, 4]) {
      const code = `export default async (event, ctx) => { ${make(Math.floor(MiB / share / shrink))}\n${body} }`
      let least = { longest: Number.POSITIVE_INFINITY, ending: '' }
      for (let i = 0; i < TRIES && least.longest > WORTH_ANOTHER_TRY_MS; i++) {
        const tried = await longestTurn(code)
        if (tried.longest < least.longest) least = tried
      }
      all.push({ shape, door: share === 1 ? door : `${door} / ${share}`, ...least })
    }
  }
}
all.sort((a, b) => b.longest - a.longest)
for (const { shape, door, longest, ending } of all.slice(0, 12)) {
  rows.push([shape, door, longest.toFixed(1), ending])
}
printTable(rows)
console.log(`\n${all.length} cases\n`)
verdict('longest stall of the host', all[0].longest, '≤20', 'ms')
await runtime.shutdown()
