import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000, memoryLimitBytes: 128 * 1024 * 1024 })
const folder = new URL('popular/', import.meta.url)

it.each(readdirSync(folder))('%s gives in the sandbox what it gives in Node', async (name) => {
  const file = new URL(name, folder)
  const compiled = await runtime.precompileFile(fileURLToPath(file))
  const { value, error } = await runtime.executeCompiledHandler(compiled, { event: null })
  expect(error).toBeUndefined()
  const inNode = await import(file.href)
  expect(value).toEqual(JSON.parse(JSON.stringify(await inNode.default(null))))
})

it('an error of what stands in for a module of Node points into the code that called it', async () => {
  const file = fileURLToPath(new URL('form-data-file.js', import.meta.url))
  const compiled = await runtime.precompileFile(file)
  const { error } = await runtime.executeCompiledHandler(compiled, { event: null })
  expect(error?.message).toContain('form-data wants the Node.js built-in "fs"')
  expect(error?.location?.file).toMatch(/form_data\.js$/)
  expect(error?.stack).not.toContain('stand-in')
  expect(error?.sourceLines).toContain('fs.stat(')
})
