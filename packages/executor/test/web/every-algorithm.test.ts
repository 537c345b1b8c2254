import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import everyAlgorithm from './every-algorithm.js'

const runtime = openRuntime({ threads: 1, timeoutMs: 60_000, maxHostCalls: 100_000 })

it('crypto.subtle has every algorithm and method that it has in Node, and no other', async () => {
  const file = fileURLToPath(new URL('every-algorithm.ts', import.meta.url))
  const compiled = await runtime.precompileFile(file)
  const { value, error } = await runtime.executeCompiledHandler(compiled, { event: null })
  expect(error).toBeUndefined()
  expect(value).toEqual(JSON.parse(JSON.stringify(await everyAlgorithm())))
})
