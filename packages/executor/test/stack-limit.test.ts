import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

const KiB = 1024

describe.each([
  // Node's main thread has 984 KiB for all: with `--stack-size` as it is, Node 24 comes to its end before 512 KiB.
  { threads: 0, sizes: [32, 64, 128, 256] },
  { threads: 1, sizes: [32, 64, 128, 256, 512] },
])('with $threads threads', ({ threads, sizes }) => {
  it('a handler recurses as deep as maxStackBytes allows, in proportion', async () => {
    const depths: number[] = []
    for (const maxStackBytes of sizes.map((size) => size * KiB)) {
      const { value } = await openRuntime({ threads, maxStackBytes }).executeHandler<number>(
        handler(
          'let depth = 0; const f = () => { depth++; f() }; try { f() } catch {} return depth',
        ),
        { event: null },
      )
      depths.push(value!)
    }
    for (let i = 1; i < depths.length; i++) {
      expect(depths[i]! / depths[i - 1]!).toBeGreaterThan(1.7)
      expect(depths[i]! / depths[i - 1]!).toBeLessThan(3)
    }
  })
})
