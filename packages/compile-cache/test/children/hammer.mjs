// Compiles sources at random through a cache directory that other processes use too, and counts wrong results.
import { HandlerCompiler } from '../../dist/index.js'

const [cacheDir, maxCacheSizeBytes, rounds] = process.argv.slice(2)
const sources = Array.from(
  { length: 40 },
  (_, n) => `export default (event) => [${n}, event, "${'x'.repeat(n * 50)}"]`,
)
const warnings = []
const reference = new HandlerCompiler({ cacheDir: false })
const expected = await reference.precompile(sources)
const tally = { wrong: 0, disk: 0, none: 0, rejected: 0, failedWrites: 0 }

for (let round = 0; round < Number(rounds); round++) {
  // A new compiler each round, so that memory does not hide the disk.
  const compiler = new HandlerCompiler({
    cacheDir,
    maxCacheSizeBytes: Number(maxCacheSizeBytes),
    logger: {
      debug() {},
      info() {},
      warn: ({ reason }) => warnings.push(reason),
      error() {},
    },
  })
  const picks = Array.from({ length: 20 }, () => Math.floor(Math.random() * sources.length))
  await Promise.all(
    picks.map(async (n) => {
      const { bytecode, cacheTier } = await compiler.compile(sources[n])
      if (cacheTier in tally) tally[cacheTier]++
      if (Buffer.compare(bytecode, expected[n].bytecode) !== 0) tally.wrong++
    }),
  )
  await compiler.close()
  const { disk } = compiler.getStats()
  tally.rejected += disk.rejected
  tally.failedWrites += disk.failedWrites
}
await reference.close()
console.log(JSON.stringify({ ...tally, warnings }))
