import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import intlFuzz from './intl-fuzz.js'

// A handler is always in UTC, and has the locale en-US.
process.env.TZ = 'UTC'
const runtime = openRuntime({ threads: 0, timeoutMs: 60_000, maxResultBytes: 2 ** 26 })

it.each([1, 2, 3, 4])(
  'random locales, options and values give what they give in Node (seed %i)',
  async (seed) => {
    const event = { seed, rounds: 150 }
    const file = fileURLToPath(new URL('intl-fuzz.ts', import.meta.url))
    const compiled = await runtime.precompileFile(file)
    const { value, error } = await runtime.executeCompiledHandler(compiled, { event })
    expect(error).toBeUndefined()
    const inNode = intlFuzz(event)
    const differences = inNode
      .map((expected, i) => ({ expected, given: (value as unknown[])[i] }))
      .filter(({ expected, given }) => JSON.stringify(expected) !== JSON.stringify(given))
    expect(differences).toEqual([])
  },
)
