import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openCompiler } from './open-compiler.js'

it('an onWarning that throws fails no compile and no write: the process is warned instead', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-warning-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, 'cache'), 'a file where the directory should be')
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warned.mockRestore())
  const failing = () => Promise.reject(new Error('no server'))
  const compiler = openCompiler({
    cacheDir: join(directory, 'cache'),
    secret: 'a secret of 16 bytes',
    sharedTier: { get: failing, put: failing },
    onWarning: () => {
      throw Object.create(null)
    },
  })
  expect((await compiler.compile('export default () => 1')).cacheTier).toBe('none')
  await compiler.close()
  expect(warned.mock.calls.map(([message]) => String(message)).sort()).toEqual([
    expect.stringContaining('Cannot write the compile cache'),
    expect.stringContaining('The shared compile cache does not work'),
  ])
})
