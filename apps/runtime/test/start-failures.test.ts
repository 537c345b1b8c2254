import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startRuntime } from '@nexus/runtime'
import { describe, expect, it, onTestFinished } from 'vitest'
import { workspace } from './workspace.js'

const yaml = (source = './fn.ts') =>
  `functions:\n  - name: fn\n    source: ${source}\n    events: [a.b]\n`

/** The message of a start that must fail, and the directory it failed in. */
async function failure(files: Record<string, string>, port = 0) {
  const directory = await workspace(files)
  const error = await startRuntime({ config: join(directory, 'nexus.yaml'), port, env: {} }).then(
    async (runtime) => {
      await runtime.close()
      throw new Error('expected the start to fail')
    },
    (reason: Error & { code?: string }) => reason,
  )
  return { error, directory }
}

describe('a start that cannot work says why, and leaves nothing behind', () => {
  it('broken YAML', async () => {
    const { error, directory } = await failure({ 'nexus.yaml': 'functions: [\n' })
    expect(error).toMatchObject({ name: 'RuntimeError', code: 'CONFIG_INVALID' })
    expect(error.message).toMatch(/nexus\.yaml:1:\d+: /)
    expect(existsSync(join(directory, '.nexus'))).toBe(false)
  })

  it('a handler with a syntax error: file, line, column and the line', async () => {
    const { error, directory } = await failure({
      'nexus.yaml': yaml(),
      'fn.ts': 'export default async function (event) {\n  const total = = 1\n}\n',
    })
    expect(error.code).toBe('FUNCTION_INVALID')
    expect(error.message).toMatch(/^function fn: .*fn\.ts:2:17: /)
    expect(error.message).toContain('const total = = 1')
    expect(existsSync(join(directory, '.nexus'))).toBe(false)
  })

  it('a handler without a default export', async () => {
    const { error } = await failure({
      'nexus.yaml': yaml(),
      'fn.ts': 'export const handler = () => 1\n',
    })
    expect(error.code).toBe('FUNCTION_INVALID')
    expect(error.message).toContain('default')
  })

  it('a handler that imports what is not there', async () => {
    const { error } = await failure({
      'nexus.yaml': yaml(),
      'fn.ts': "import { x } from './gone.js'\nexport default () => x\n",
    })
    expect(error.code).toBe('FUNCTION_INVALID')
    expect(error.message).toContain('./gone.js')
  })

  it('every function that does not compile is named', async () => {
    const { error } = await failure({
      'nexus.yaml': `${yaml('./a.ts')}  - name: other\n    source: ./b.ts\n    events: [c]\n`,
      'a.ts': 'export default (\n',
      'b.ts': 'export default )\n',
    })
    expect(error.message).toMatch(/function fn: .*function other: /s)
  })

  it('a port in use', async () => {
    const blocker = createServer()
    await new Promise<void>((listening) => blocker.listen(0, '127.0.0.1', listening))
    onTestFinished(() => void blocker.close())
    const { port } = blocker.address() as { port: number }
    const { error } = await failure(
      { 'nexus.yaml': yaml(), 'fn.ts': 'export default () => 1' },
      port,
    )
    expect(error).toMatchObject({ name: 'RuntimeError', code: 'PORT_IN_USE' })
    expect(error.message).toContain(`port ${port} on 127.0.0.1 is in use`)
  })

  it('a data directory that another runtime uses', async () => {
    const directory = await workspace({ 'nexus.yaml': yaml(), 'fn.ts': 'export default () => 1' })
    const start = () => startRuntime({ config: join(directory, 'nexus.yaml'), port: 0, env: {} })
    const first = await start()
    onTestFinished(() => first.close())
    await expect(start()).rejects.toMatchObject({ name: 'RuntimeError', code: 'DATA_UNAVAILABLE' })
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
  })
})
