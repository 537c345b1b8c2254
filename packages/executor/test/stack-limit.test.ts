import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

const KiB = 1024

describe.each([0, 1])('with %i threads', (threads) => {
  it('a handler recurses as deep as maxStackBytes allows, in proportion', async () => {
    const depths: number[] = []
    for (const maxStackBytes of [32 * KiB, 64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB]) {
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
