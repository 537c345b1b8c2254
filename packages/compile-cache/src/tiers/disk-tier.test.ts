import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { DiskFileSystem } from './disk-file-system.js'
import { DiskTier, type DiskTierSettings } from './disk-tier.js'
import { MAX_SEALED_BYTES, Sealer } from './seal.js'

const sealer = await Sealer.create('engine@1', undefined)
const keyOf = (name: string | number) => createHash('sha256').update(String(name)).digest('hex')
const artifact = (bytes: number, fill = 7) => ({ bytecode: new Uint8Array(bytes).fill(fill) })
const HEADER_BYTES = 136

async function openTier(settings: Partial<DiskTierSettings> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-disk-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const troubles: string[] = []
  const tier = new DiskTier({
    directory,
    maxBytes: 1_000_000,
    sealer,
    clock: Date.now,
    onTrouble: (message) => troubles.push(message),
    ...settings,
  })
  return { tier, directory: settings.directory ?? directory, troubles }
}

async function store(tier: DiskTier, key: string, bytes: number): Promise<void> {
  tier.write(key, artifact(bytes))
  await tier.flush()
}

it('what was written is read by another tier on the same directory', async () => {
  const { tier, directory } = await openTier()
  const written = { ...artifact(100), sourceMap: '{"version":3}' }
  tier.write(keyOf('a'), written)
  await tier.flush()
  const { tier: other } = await openTier({ directory })
  expect(await other.read(keyOf('a'))).toEqual(written)
  expect(await other.read(keyOf('b'))).toBeUndefined()
  expect(other.getStats()).toMatchObject({ hits: 1, misses: 1, rejected: 0 })
  expect((await readdir(directory)).sort()).toEqual([`${keyOf('a')}.map`, `${keyOf('a')}.qjsc`])
})

it.each([262_144 - 136, 262_144 - 135, 1_000_000])(
  'bytecode of %i bytes comes back whole',
  async (bytes) => {
    const { tier } = await openTier({ maxBytes: 10_000_000 })
    await store(tier, keyOf('a'), bytes)
    const { bytecode } = (await tier.read(keyOf('a')))!
    expect(Buffer.compare(bytecode, artifact(bytes).bytecode)).toBe(0)
  },
)

it('a damaged file is a miss, and the next write replaces it', async () => {
  const { tier, directory } = await openTier()
  await store(tier, keyOf('a'), 100)
  const file = join(directory, `${keyOf('a')}.qjsc`)
  const bytes = await readFile(file)
  bytes[HEADER_BYTES]! ^= 1
  await writeFile(file, bytes)
  expect(await tier.read(keyOf('a'))).toBeUndefined()
  expect(tier.getStats()).toMatchObject({ rejected: 1 })
  await store(tier, keyOf('a'), 100)
  expect(await tier.read(keyOf('a'))).toEqual(artifact(100))
})

it('bytecode whose source map is missing or damaged is a miss', async () => {
  const { tier, directory } = await openTier()
  tier.write(keyOf('a'), { ...artifact(100), sourceMap: '{}' })
  await tier.flush()
  await writeFile(join(directory, `${keyOf('a')}.map`), '{}')
  expect(await tier.read(keyOf('a'))).toBeUndefined()
  await rm(join(directory, `${keyOf('a')}.map`))
  expect(await tier.read(keyOf('a'))).toBeUndefined()
})

it('a file moved under another key is a miss', async () => {
  const { tier, directory } = await openTier()
  await store(tier, keyOf('a'), 100)
  const from = join(directory, `${keyOf('a')}.qjsc`)
  await nodeFs.rename(from, join(directory, `${keyOf('b')}.qjsc`))
  expect(await tier.read(keyOf('b'))).toBeUndefined()
})

/** What another program may put in place of a cache file. */
const impostors: Record<string, (path: string) => void> = {
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(path),
  'a link to a file that would do': (path) => {
    renameSync(path, `${path}.moved`)
    symlinkSync(`${path}.moved`, path)
  },
  'a link that leads nowhere': (path) => symlinkSync('/nowhere/at/all', path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a link to a terminal': (path) => symlinkSync('/dev/tty', path),
  'a link to an endless file': (path) => symlinkSync('/dev/zero', path),
  'a socket': (path) => {
    // Node unlinks a socket when its server closes; Python leaves it.
    execFileSync('python3', [
      '-c',
      `import socket,os,sys; os.chdir(os.path.dirname(sys.argv[1])); socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[1]))`,
      path,
    ])
  },
  'an empty file': (path) => writeFileSync(path, ''),
  'a sparse file of 3 GB': (path) => {
    writeFileSync(path, '')
    truncateSync(path, 3e9)
  },
  'a header with a long sparse tail': (path) => truncateSync(path, 3e9),
  'a sparse tail that the header agrees with': (path) => {
    const length = 1.5e9
    const header = readFileSync(path)
    header.writeUInt32LE(length - HEADER_BYTES, 8)
    writeFileSync(path, header)
    truncateSync(path, length)
  },
}

it
  .runIf(process.platform === 'linux')
  .each(
    Object.keys(impostors).flatMap((name) => ['qjsc', 'map', 'inputs'].map((kind) => [name, kind])),
  )(
  '%s in place of a .%s file is a miss: not waited for, not followed, not read',
  async (name, kind) => {
    const counts = { opened: 0 }
    const fs: DiskFileSystem = {
      ...nodeFs,
      open: (path, flags) => {
        counts.opened++
        return nodeFs.open(path, flags)
      },
    }
    const { tier, directory } = await openTier({ fs, maxBytes: 4e9 })
    const written = { ...artifact(300_000), sourceMap: 'x'.repeat(300_000) }
    tier.write(keyOf('a'), written)
    tier.writeRecord(keyOf('a'), 'y'.repeat(300_000))
    await tier.flush()
    const path = join(directory, `${keyOf('a')}.${kind}`)
    if (!/would do|header/.test(name)) await rm(path)
    impostors[name]!(path)
    const bytesBefore = process.memoryUsage().arrayBuffers
    counts.opened = 0
    const read = () => (kind === 'inputs' ? tier.readRecord(keyOf('a')) : tier.read(keyOf('a')))
    expect(await read()).toBeUndefined()
    expect(counts.opened).toBe(kind === 'map' ? 1 : 0) // for the bytecode before it
    expect(process.memoryUsage().arrayBuffers - bytesBefore).toBeLessThan(100e6)
    expect(tier.getStats()).toMatchObject({ rejected: 1 })
    if (name === 'a directory') return
    tier.write(keyOf('a'), written)
    tier.writeRecord(keyOf('a'), 'again')
    await tier.flush()
    const readBack = (await tier.read(keyOf('a')))!
    expect(Buffer.compare(readBack.bytecode, written.bytecode)).toBe(0)
    expect(readBack.sourceMap === written.sourceMap).toBe(true)
    expect(await tier.readRecord(keyOf('a'))).toBe('again')
  },
)

it('a large file that changes its kind or its size while it waits to be read is a miss', async () => {
  const { tier: writer, directory } = await openTier()
  await store(writer, keyOf('a'), 300_000)
  const path = join(directory, `${keyOf('a')}.qjsc`)
  const good = await readFile(path)
  const changes: (() => Promise<unknown>)[] = [
    () => nodeFs.truncate(path, 1000),
    () => nodeFs.truncate(path, 3e9),
    async () => {
      await rm(path)
      execFileSync('mkfifo', [path])
    },
    async () => {
      await rm(path)
      await nodeFs.symlink('/dev/zero', path)
    },
  ]
  for (const change of changes) {
    const fs: DiskFileSystem = {
      ...nodeFs,
      open: async (name, flags) => {
        await change()
        return nodeFs.open(name, flags)
      },
    }
    const { tier } = await openTier({ fs, directory })
    expect(await tier.read(keyOf('a'))).toBeUndefined()
    await rm(path, { force: true })
    await writeFile(path, good)
  }
})

it('what is longer than the longest cache file is not stored', async () => {
  const { tier, directory } = await openTier({ maxBytes: 1e9 })
  await store(tier, keyOf('a'), MAX_SEALED_BYTES - HEADER_BYTES + 1)
  expect(await readdir(directory)).toEqual([])
})

it.runIf(process.platform !== 'win32')(
  'the directory and its files are for their owner only, also those that existed',
  async () => {
    const { directory: parent } = await openTier()
    const modeOf = async (path: string) => (await nodeFs.stat(path)).mode & 0o777
    for (const existed of [false, true]) {
      const directory = join(parent, String(existed))
      const old = join(directory, `${keyOf('old')}.qjsc`)
      if (existed) {
        await nodeFs.mkdir(directory)
        await nodeFs.chmod(directory, 0o755)
        await writeFile(old, sealer.seal('bytecode', keyOf('old'), new Uint8Array(10)))
        await writeFile(join(directory, 'README'), 'not ours')
        for (const name of [old, join(directory, 'README')]) await nodeFs.chmod(name, 0o644)
      }
      const { tier } = await openTier({ directory })
      await tier.makePrivate()
      if (existed) {
        expect(await modeOf(directory)).toBe(0o700)
        expect(await tier.read(keyOf('old'))).toBeDefined()
        expect(await modeOf(old)).toBe(0o600)
        await nodeFs.chmod(old, 0o640)
      }
      tier.write(keyOf('a'), { ...artifact(10), sourceMap: '{}' })
      tier.writeRecord(keyOf('a'), '{}')
      await tier.flush()
      expect(await modeOf(directory)).toBe(0o700)
      for (const name of await readdir(directory)) {
        expect([name, await modeOf(join(directory, name))]).toEqual([
          name,
          name === 'README' ? 0o644 : 0o600,
        ])
      }
    }
  },
)

it.runIf(process.platform !== 'win32')(
  'a directory that many users share is left as it is',
  async () => {
    const { tier, directory } = await openTier()
    await nodeFs.chmod(directory, 0o1777)
    await tier.makePrivate()
    expect((await nodeFs.stat(directory)).mode & 0o7777).toBe(0o1777)
  },
)

it('the directory stays within its limit, and what was used longest ago goes first', async () => {
  const entryBytes = 100 + HEADER_BYTES
  const { tier, directory } = await openTier({ maxBytes: 10 * entryBytes })
  for (let n = 0; n < 10; n++) {
    await store(tier, keyOf(n), 100)
    const time = new Date(1_000_000 + n * 1000)
    await utimes(join(directory, `${keyOf(n)}.qjsc`), time, time)
  }
  expect(tier.getStats()).toMatchObject({ bytes: 10 * entryBytes, evictions: 0 })
  expect(await tier.read(keyOf(0))).toBeDefined() // now used last
  await tier.flush()
  await store(tier, keyOf(10), 100)
  expect(tier.getStats()).toMatchObject({ bytes: 9 * entryBytes, evictions: 2 })
  expect(await tier.read(keyOf(0))).toBeDefined()
  expect(await tier.read(keyOf(1))).toBeUndefined()
  expect(await tier.read(keyOf(2))).toBeUndefined()
  expect(await tier.read(keyOf(3))).toBeDefined()
})

it('files that come while the directory is measured are measured too', async () => {
  const listed: (() => void)[] = []
  const fs: DiskFileSystem = {
    ...nodeFs,
    readdir: async (path: string) => {
      const names = await nodeFs.readdir(path)
      await new Promise<void>((resolve) => listed.push(resolve))
      return names
    },
  }
  const { tier, directory } = await openTier({ maxBytes: 10 * (100 + HEADER_BYTES), fs })
  tier.write(keyOf('first'), artifact(100))
  await expect.poll(() => listed.length).toBe(1) // measures for the first file
  for (let n = 0; n < 15; n++) tier.write(keyOf(n), artifact(100))
  await expect.poll(async () => (await readdir(directory)).length).toBe(16)
  const flushed = tier.flush()
  const letGo = setInterval(() => listed.shift()?.(), 1)
  await flushed
  clearInterval(letGo)
  expect((await readdir(directory)).length).toBeLessThanOrEqual(10)
})

it('an entry larger than the whole limit is not written', async () => {
  const { tier, directory } = await openTier({ maxBytes: 1000 })
  await store(tier, keyOf('a'), 1001)
  expect(await readdir(directory)).toEqual([])
})

it('temporary files of dead processes are deleted, those of live ones and foreign files are not', async () => {
  const { tier, directory } = await openTier({ clock: () => Date.now() })
  const stale = `${keyOf('a')}.qjsc.0123456789ab.tmp`
  const fresh = `${keyOf('a')}.qjsc.ba9876543210.tmp`
  for (const name of [stale, fresh, 'README', 'x.tmp']) {
    await writeFile(join(directory, name), '')
  }
  const longAgo = new Date(Date.now() - 11 * 60_000)
  await utimes(join(directory, stale), longAgo, longAgo)
  await utimes(join(directory, 'x.tmp'), longAgo, longAgo)
  await store(tier, keyOf('b'), 10)
  expect((await readdir(directory)).sort()).toEqual(
    [fresh, 'README', 'x.tmp', `${keyOf('b')}.qjsc`].sort(),
  )
})

it('clear deletes the cache and nothing else', async () => {
  const { tier, directory } = await openTier()
  await store(tier, keyOf('a'), 10)
  tier.writeRecord(keyOf('r'), '{}')
  await writeFile(join(directory, 'notes.txt'), '')
  await tier.clear()
  expect(await readdir(directory)).toEqual(['notes.txt'])
  expect(tier.getStats().bytes).toBe(0)
})

it('records survive, and damaged ones are absent', async () => {
  const { tier, directory } = await openTier()
  tier.writeRecord(keyOf('r'), '{"a":"é"}')
  await tier.flush()
  expect(await tier.readRecord(keyOf('r'))).toBe('{"a":"é"}')
  await writeFile(join(directory, `${keyOf('r')}.inputs`), '{"a":"é"}')
  expect(await tier.readRecord(keyOf('r'))).toBeUndefined()
})

it('a directory that cannot be made is told, and reads go on missing', async () => {
  const { directory } = await openTier()
  await writeFile(join(directory, 'file'), '')
  const { tier, troubles } = await openTier({ directory: join(directory, 'file', 'cache') })
  await store(tier, keyOf('a'), 10)
  expect(await tier.read(keyOf('a'))).toBeUndefined()
  expect(tier.getStats()).toMatchObject({ failedWrites: 1, writes: 0 })
  expect(troubles[0]).toContain('ENOTDIR')
})

it.each(['writeFile', 'rename'] as const)(
  'a disk that is full at %s leaves nothing behind',
  async (call) => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    const fs: DiskFileSystem = {
      ...nodeFs,
      [call]: async (path: string, data: Uint8Array) => {
        // A full disk takes some bytes before it refuses the rest.
        if (call === 'writeFile') await nodeFs.writeFile(path, data.subarray(0, 50))
        throw full
      },
    }
    const { tier, directory, troubles } = await openTier({ fs })
    await store(tier, keyOf('a'), 100)
    expect(tier.getStats()).toMatchObject({ failedWrites: 1 })
    expect(troubles[0]).toContain('ENOSPC')
    expect(await readdir(directory)).toEqual([])
  },
)

it('a burst of reads and writes opens few files at a time', async () => {
  let open = 0
  let most = 0
  const counted =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      most = Math.max(most, ++open)
      return call(...args).finally(() => open--)
    }
  const fs: DiskFileSystem = {
    ...nodeFs,
    open: async (path, flags) => {
      most = Math.max(most, ++open)
      const file = await nodeFs.open(path, flags)
      return {
        stat: () => file.stat(),
        read: (...args) => file.read(...args),
        close: () => file.close().finally(() => open--),
      }
    },
    writeFile: counted(nodeFs.writeFile as DiskFileSystem['writeFile']),
  }
  const { tier } = await openTier({ fs, maxBytes: 100_000_000 })
  for (let n = 0; n < 60; n++) tier.write(keyOf(n), artifact(300_000))
  await tier.flush()
  const read = await Promise.all(Array.from({ length: 60 }, (_, n) => tier.read(keyOf(n))))
  expect(read.every((found) => found !== undefined)).toBe(true)
  expect(most).toBeGreaterThan(1)
  expect(most).toBeLessThanOrEqual(16)
  expect(tier.getStats()).toMatchObject({ writes: 60, failedWrites: 0 })
})

it('reading marks an entry as used, once a minute', async () => {
  let now = Date.now()
  const { tier, directory } = await openTier({ clock: () => now })
  await store(tier, keyOf('a'), 10)
  const file = join(directory, `${keyOf('a')}.qjsc`)
  const { mtimeMs: written } = await nodeFs.stat(file)
  now = written + 59_999
  await tier.read(keyOf('a'))
  expect((await nodeFs.stat(file)).mtimeMs).toBe(written)
  now = Math.ceil(written) + 60_000
  await tier.read(keyOf('a'))
  expect((await nodeFs.stat(file)).mtimeMs).toBeCloseTo(now, 0)
})
