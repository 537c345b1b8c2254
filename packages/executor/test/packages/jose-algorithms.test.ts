import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import inNode from './jose-algorithms.js'

const runtime = openRuntime({ threads: 1, timeoutMs: 120_000 })

it('jose signs, verifies, encrypts and decrypts with every algorithm it lists, as in Node', async () => {
  const file = fileURLToPath(new URL('jose-algorithms.ts', import.meta.url))
  const compiled = await runtime.precompileFile(file)
  const { value, error } = await runtime.executeCompiledHandler<Record<string, unknown>>(compiled, {
    event: null,
  })
  expect(error).toBeUndefined()
  expect(Object.keys(value!)).toHaveLength(38)
  expect(value).toEqual(await inNode())
  // A failure is a text, also where Node has the same one.
  expect(Object.entries(value!).filter(([, result]) => !Array.isArray(result))).toEqual([])
})
