import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { engineVersion } from '../src/engine/engine.js'
import { Sealer } from '../src/tiers/seal.js'
import { runChild, startChild } from './children/run-child.js'
import { requireBuild } from './require-build.js'
import { temporaryProject } from './temporary-project.js'

beforeAll(requireBuild)

it('processes that hammer one directory never get wrong bytecode, and stay within its limit', async () => {
  const directory = await temporaryProject()
  const maxBytes = 20_000 // about a third of what they write
  const children = await Promise.all(
    Array.from({ length: 3 }, () => runChild('hammer.mjs', [directory, String(maxBytes), '30'])),
  )
  for (const { code, stdout } of children) {
    expect(code).toBe(0)
    const tally = JSON.parse(stdout)
    expect(tally).toMatchObject({ wrong: 0, rejected: 0, failedWrites: 0, warnings: [] })
    expect(tally.disk).toBeGreaterThan(0)
    expect(tally.none).toBeGreaterThan(0)
  }
  const names = await readdir(directory)
  expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(directory, name))).size),
  )
  // Each of the three leaves up to a twentieth of the limit that it did not measure after writing it.
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(maxBytes * 1.15 + 1)
})

it('kill -9 while writing leaves no file that is not whole', async () => {
  const directory = await temporaryProject()
  for (let round = 0; round < 4; round++) {
    const before = (await readdir(directory)).length
    const child = startChild('write-forever.mjs', [directory])
    while ((await readdir(directory)).length < before + 10 + 3 * round) {
      expect(child.exitCode).toBeNull()
      await new Promise((resolve) => setImmediate(resolve))
    }
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  const sealer = await Sealer.create(engineVersion(), undefined)
  const kinds = { qjsc: 'bytecode', map: 'source-map' } as const
  let whole = 0
  for (const name of await readdir(directory)) {
    const [key, extension, ...rest] = name.split('.')
    if (rest.length > 0) continue // a temporary file, never read
    const file = await readFile(join(directory, name))
    expect(sealer.open(kinds[extension as keyof typeof kinds], key!, file)).toBeDefined()
    whole++
  }
  expect(whole).toBeGreaterThan(20)
})

it('a torn file under its final name, as after a power cut, is not loaded', async () => {
  const directory = await temporaryProject()
  await runChild('hammer.mjs', [directory, '1000000', '5'])
  for (const name of await readdir(directory)) {
    const bytes = await readFile(join(directory, name))
    await writeFile(join(directory, name), bytes.fill(0, bytes.length >> 1))
  }
  const { stdout } = await runChild('hammer.mjs', [directory, '1000000', '5'])
  const tally = JSON.parse(stdout)
  expect(tally.wrong).toBe(0)
  expect(tally.rejected).toBeGreaterThan(0)
})
