import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

// A handler is always in UTC, and has the locale en-US.
process.env.TZ = 'UTC'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000, memoryLimitBytes: 256 * 1024 * 1024 })

describe("Node's modules do in the sandbox what they do in Node", () => {
  // The modules are Node 20's: newer ones word some errors, and show some values, in another way.
  const isNode20 = process.versions.node.startsWith('20.')
  it.runIf(isNode20).each(['buffer', 'text', 'util', 'events', 'stream', 'intl', 'crypto', 'zlib'])(
    '%s',
    async (name) => {
      const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
      const compiled = await runtime.precompileFile(file)
      const { value, error } = await runtime.executeCompiledHandler(compiled, { event: null })
      expect(error).toBeUndefined()
      const program = await import(pathToFileURL(file).href)
      const expected = JSON.parse(JSON.stringify(await program.default()))
      expect(value).toHaveLength(expected.length)
      const differences = expected
        .map((inNode: unknown, i: number) => ({ i, inNode, inSandbox: (value as unknown[])[i] }))
        .filter(
          ({ inNode, inSandbox }: { inNode: unknown; inSandbox: unknown }) =>
            JSON.stringify(inNode) !== JSON.stringify(inSandbox),
        )
      expect(differences).toEqual([])
    },
  )
})
