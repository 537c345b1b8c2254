import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordingLogger } from '@nexus/test-kit'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openCompiler } from './open-compiler.js'

it('a logger that throws fails no compile and no write', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-warning-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, 'cache'), 'a file where the directory should be')
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warned.mockRestore())
  const fail = () => {
    throw Object.create(null)
  }
  const failing = () => Promise.reject(new Error('no server'))
  const compiler = openCompiler({
    cacheDir: join(directory, 'cache'),
    secret: 'a secret of 16 bytes',
    sharedTier: { get: failing, put: failing },
    logger: { debug: fail, info: fail, warn: fail, error: fail },
  })
  expect((await compiler.compile('export default () => 1')).cacheTier).toBe('none')
  await compiler.close()
  expect(warned).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining('the logger threw'),
    'NexusLoggerWarning',
  )
})

it('what is compiled, what a tier had and what was damaged is logged', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'nexus-logged-'))
  onTestFinished(() => rm(cacheDir, { recursive: true, force: true }))
  const source = 'export default () => 1'
  const messages = async () => {
    const logger = new RecordingLogger()
    const compiler = openCompiler({ cacheDir, logger })
    await compiler.compile(source)
    await compiler.close()
    return logger.entries
  }
  expect(await messages()).toEqual([
    {
      level: 'debug',
      message: 'compiled',
      fields: {
        filename: 'handler.js',
        cacheTier: 'none',
        bytes: expect.any(Number),
        ms: expect.any(Number),
      },
    },
  ])
  expect(await messages()).toMatchObject([
    { message: 'compiled code came from the cache', fields: { cacheTier: 'disk' } },
  ])
  const [file] = (await readdir(cacheDir)).filter((name) => name.endsWith('.qjsc'))
  await writeFile(join(cacheDir, file!), 'damaged')
  expect(await messages()).toMatchObject([
    { level: 'warn', fields: { path: join(cacheDir, file!) } },
    { message: 'compiled', fields: { cacheTier: 'none' } },
  ])
})

it('each damaged file is told of once, and again when it is damaged again', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'nexus-damaged-'))
  const rootDir = await mkdtemp(join(tmpdir(), 'nexus-root-'))
  onTestFinished(() => rm(cacheDir, { recursive: true, force: true }))
  onTestFinished(() => rm(rootDir, { recursive: true, force: true }))
  await writeFile(join(rootDir, 'a.ts'), 'export default (): number => 1')
  const compile = async (damaged: (name: string) => boolean) => {
    for (const name of (await readdir(cacheDir)).filter(damaged)) {
      await writeFile(join(cacheDir, name), 'damaged')
    }
    const logger = new RecordingLogger()
    const compiler = openCompiler({ cacheDir, rootDir, logger })
    await compiler.compileFile('a.ts')
    await compiler.close()
    expect(compiler.getStats().disk?.rejected).toBe(logger.messages('warn').length)
    return logger.entries.flatMap(({ fields }) => ('path' in fields ? [fields.path] : []))
  }
  expect(await compile(() => false)).toEqual([])
  const of = async (end: string) =>
    (await readdir(cacheDir))
      .filter((name) => name.endsWith(end))
      .map((name) => join(cacheDir, name))
  for (const end of ['.qjsc', '.map', '.inputs', '.qjsc']) {
    expect(await compile((name) => name.endsWith(end))).toEqual(await of(end))
  }
  expect(await compile(() => false)).toEqual([])
})
