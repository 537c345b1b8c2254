import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RecordingLogger } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { runHandler } from './run-handler.js'
import { temporaryProject } from './temporary-project.js'

const source = 'export default (event) => event.a * 2'
const typed = { filename: 'a.ts' }

it('after a restart handlers come from disk, with their source maps', async () => {
  const cacheDir = await temporaryProject()
  const first = openCompiler({ cacheDir })
  const compiled = [await first.compile(source), await first.compile(source, typed)]
  await first.close()
  const second = openCompiler({ cacheDir })
  const found = [await second.compile(source), await second.compile(source, typed)]
  for (const [n, handler] of found.entries()) {
    expect(handler).toMatchObject({ cacheHit: true, cacheTier: 'disk' })
    expect(handler.bytecode).toEqual(compiled[n]!.bytecode)
    expect(handler.sourceMap).toBe(compiled[n]!.sourceMap)
    expect(await runHandler(handler.bytecode, { a: 2 })).toBe(4)
  }
  expect(second.getStats()).toMatchObject({ compiles: 0, disk: { hits: 2, misses: 0 } })
})

it('an upgrade of the wrapper misses', async () => {
  const cacheDir = await temporaryProject()
  for (const version of ['1', '2']) {
    const compiler = openCompiler({ cacheDir, version })
    expect((await compiler.compile(source)).cacheTier).toBe('none')
    await compiler.close()
  }
  expect((await openCompiler({ cacheDir, version: '2' }).compile(source)).cacheTier).toBe('disk')
})

it('cache files sealed without the secret are not loaded', async () => {
  const cacheDir = await temporaryProject()
  const open = openCompiler({ cacheDir })
  await open.compile(source)
  await open.close()
  const sealed = openCompiler({ cacheDir, secret: 'a secret of 16 bytes' })
  expect((await sealed.compile(source)).cacheTier).toBe('none')
  await sealed.close()
  expect(sealed.getStats().disk).toMatchObject({ rejected: 1, writes: 1 })
  const again = openCompiler({ cacheDir, secret: 'a secret of 16 bytes' })
  expect((await again.compile(source)).cacheTier).toBe('disk')
})

it('300 damaged files are never loaded, and each is replaced', async () => {
  const cacheDir = await temporaryProject()
  const sources = Array.from({ length: 100 }, (_, n) => `export default () => ${n}`)
  const writer = openCompiler({ cacheDir })
  const expected = await writer.precompile(sources)
  for (let round = 0; round < 3; round++) {
    for (const [n, name] of (await readdir(cacheDir)).entries()) {
      const bytes = await readFile(join(cacheDir, name))
      const at = (n * 37 + round * 11) % bytes.length
      bytes[at]! ^= 1 << (n & 7)
      await writeFile(join(cacheDir, name), n % 5 === 0 ? bytes.subarray(0, at) : bytes)
    }
    const reader = openCompiler({ cacheDir })
    const found = await reader.precompile(sources)
    expect(found.every(({ cacheTier }) => cacheTier === 'none')).toBe(true)
    expect(found.map(({ bytecode }) => bytecode)).toEqual(expected.map(({ bytecode }) => bytecode))
    expect(reader.getStats().disk).toMatchObject({ rejected: 100, hits: 0, writes: 100 })
  }
  expect((await openCompiler({ cacheDir }).precompile(sources))[0]!.cacheTier).toBe('disk')
})

it('a cache directory that cannot be written is warned of once, and compiles go on', async () => {
  const directory = await temporaryProject({ file: '' })
  const logger = new RecordingLogger()
  const compiler = openCompiler({
    cacheDir: join(directory, 'file', 'cache'),
    logger,
  })
  await compiler.precompile(['export default () => 1', 'export default () => 2'])
  const { bytecode, cacheTier } = await compiler.compile('export default () => 1')
  expect(cacheTier).toBe('memory')
  expect(await runHandler(bytecode, null)).toBe(1)
  expect(logger.entries.filter(({ level }) => level === 'warn')).toMatchObject([
    { fields: { reason: expect.stringContaining('Cannot write the compile cache in') } },
  ])
  expect(compiler.getStats().disk).toMatchObject({ failedWrites: 2, writes: 0 })
})

it('clearCache empties memory and disk', async () => {
  const cacheDir = await temporaryProject()
  const compiler = openCompiler({ cacheDir })
  await compiler.precompile([source])
  await compiler.clearCache()
  expect(await readdir(cacheDir)).toEqual([])
  expect(compiler.getStats()).toMatchObject({ memory: { entries: 0 }, disk: { bytes: 0 } })
  expect((await compiler.compile(source)).cacheTier).toBe('none')
})

it('machines share their compiles through the shared tier', async () => {
  const store = new Map<string, Uint8Array>()
  const shared = {
    secret: 'the secret of the cluster',
    sharedTier: {
      get: async (key: string) => store.get(key),
      put: async (key: string, bytes: Uint8Array) => {
        store.set(key, bytes)
      },
    },
  }
  const one = openCompiler(shared)
  await one.precompile([{ source, ...typed }])
  const cacheDir = await temporaryProject()
  const two = openCompiler({ ...shared, cacheDir })
  const handler = await two.compile(source, typed)
  expect(handler).toMatchObject({ cacheHit: true, cacheTier: 'shared' })
  expect(await runHandler(handler.bytecode, { a: 3 })).toBe(6)
  expect(handler.sourceMap).toContain('a.ts')
  await two.close()
  // What came from the shared tier is on disk now.
  expect((await openCompiler({ ...shared, cacheDir }).compile(source, typed)).cacheTier).toBe(
    'disk',
  )
  // A machine with another secret does not trust it.
  const stranger = openCompiler({ ...shared, secret: 'another secret altogether' })
  expect((await stranger.compile(source, typed)).cacheTier).toBe('none')
  expect(stranger.getStats().shared).toMatchObject({ rejected: 1 })
})

it('a broken shared tier fails no compile and is warned of once', async () => {
  const logger = new RecordingLogger()
  const compiler = openCompiler({
    secret: 'the secret of the cluster',
    sharedTier: {
      get: () => Promise.reject(new Error('down')),
      put: () => Promise.reject(new Error('down')),
    },
    logger,
  })
  await compiler.precompile([source, 'export default 1'])
  expect(logger.entries.filter(({ level }) => level === 'warn')).toMatchObject([
    { fields: { tier: 'shared', reason: expect.stringContaining('down') } },
  ])
})
