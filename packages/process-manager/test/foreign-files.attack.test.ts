import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandLock, type NativeEngine } from '@nexus/process-manager'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fixture, logLines, sandbox } from './support/sandbox.js'

/** Another user, whose files a test can make only as root. */
const STRANGER = 65_534
const isRoot = process.getuid?.() === 0
const CANARY = 'CANARY-93ce'

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-foreign-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Every way in which a client looks at a home. */
const WAYS: Record<string, (engine: NativeEngine) => Promise<unknown>> = {
  start: (engine) => engine.start({ name: 'idle', script: fixture('idle.mjs') }),
  stop: (engine) => engine.stop('idle'),
  list: (engine) => engine.list(),
  logs: (engine) => logLines(engine, 'idle'),
  stats: (engine) => engine.daemonStats(),
}

/** What another user may have put where the directory was not private yet. */
const PLANTED: Record<string, (root: string) => string> = {
  'a state with a service': (root) => plantFile(join(root, 'state.json')),
  'a status': (root) => plantFile(join(root, 'status.json')),
  'a saved state': (root) => plantFile(join(root, 'saved.json')),
  'a log': (root) => {
    mkdirSync(join(root, 'logs'))
    return plantFile(join(root, 'logs', 'idle.log'))
  },
  'a directory of logs': (root) => {
    mkdirSync(join(root, 'logs'))
    chownSync(join(root, 'logs'), STRANGER, STRANGER)
    return join(root, 'logs')
  },
  'a link to a file of this user': (root) => {
    writeFileSync(join(root, '../own'), CANARY)
    symlinkSync(join(root, '../own'), join(root, 'status.json.new'))
    execFileSync('chown', ['-h', `${STRANGER}`, join(root, 'status.json.new')])
    return join(root, 'status.json.new')
  },
}

function plantFile(path: string): string {
  writeFileSync(path, '{}')
  chownSync(path, STRANGER, STRANGER)
  return path
}

describe.runIf(isRoot)('A home that another user had a hand in is refused', () => {
  describe.each(Object.keys(PLANTED))('where the other one left %s', (what) => {
    it.each(['start', 'stop', 'logs', 'stats'])('by %s', async (way) => {
      const { engine, root, processes } = sandbox()
      mkdirSync(root)
      chmodSync(root, 0o777)
      const path = PLANTED[what]!(root)
      writeFileSync(join(root, 'mine'), '')
      for (let round = 0; round < 2; round++) {
        await expect(WAYS[way]!(engine)).rejects.toMatchObject({
          code: 'HOME_UNUSABLE',
          details: { path },
        })
      }
      expect(processes()).toEqual([])
      // It was not taken for private, so that no later command takes it for that.
      expect(statSync(root).mode & 0o777).toBe(0o777)
    })
  })

  it.each(Object.keys(WAYS))('where the directory is the other one’s: by %s', async (way) => {
    const { engine, root, processes } = sandbox()
    mkdirSync(root, { mode: 0o700 })
    writeFileSync(join(root, 'state.json'), '{}')
    chownSync(root, STRANGER, STRANGER)
    await expect(WAYS[way]!(engine)).rejects.toMatchObject({
      code: 'HOME_UNUSABLE',
      details: { path: root },
    })
    expect(processes()).toEqual([])
  })

  it('where it is a link that the other one made', async () => {
    const { engine, root } = sandbox()
    const own = scratch()
    symlinkSync(own, root)
    execFileSync('chown', ['-h', `${STRANGER}`, root])
    await expect(engine.daemonStats()).rejects.toMatchObject({ code: 'HOME_UNUSABLE' })
    expect(readdirSync(own)).toEqual([])
  })
})

describe('A home that others could write to', () => {
  it('has no status that is believed, and is made private by the first command', async () => {
    const { engine, root } = sandbox()
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    chmodSync(root, 0o755)
    expect(await engine.list()).toMatchObject([{ name: 'idle', state: 'online' }])
    expect(engine.getStats().requests).toBe(2)
    chmodSync(root, 0o755)
    await logLines(engine, 'idle')
    expect(statSync(root).mode & 0o777).toBe(0o700)
  })

  it('may be a link of this user', async () => {
    const { engine, root } = sandbox()
    symlinkSync(scratch(), root)
    expect(await engine.daemonStats()).toMatchObject({ services: 0 })
  })
})

/** Files that hold up or fill the one who opens them. */
const ODD: Record<string, (path: string) => void> = {
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a link that leads nowhere': (path) => symlinkSync(`${path}.away`, path),
  'a sparse file of 8 GB': (path) => {
    writeFileSync(path, '')
    truncateSync(path, 8e9)
  },
  'a link to a device without an end': (path) => symlinkSync('/dev/zero', path),
}

describe.each(Object.keys(ODD))('Where %s is in the place of a file', (odd) => {
  it('a daemon starts services and answers', async () => {
    const { engine, root } = sandbox()
    mkdirSync(join(root, 'logs'), { recursive: true, mode: 0o700 })
    for (const file of ['status.json', 'saved.json', 'daemon.log', 'logs/idle.log']) {
      ODD[odd]!(join(root, file))
    }
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    expect(await engine.list()).toMatchObject([{ name: 'idle', state: 'online' }])
    await expect(engine.resurrect()).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
    await logLines(engine, 'idle').catch(() => [])
    await engine.shutdown()
  })

  it('state.json, the daemon starts empty with a warning', async () => {
    const { engine, root } = sandbox()
    mkdirSync(root, { mode: 0o700 })
    ODD[odd]!(join(root, 'state.json'))
    const { services, warnings } = await engine.daemonStats()
    expect(services).toBe(0)
    expect(warnings).toContainEqual(expect.stringContaining('could not read its state'))
    const aside = join(root, 'state.json.unreadable')
    expect(warnings.join()).toContain(aside)
    const before = lstatSync(aside)
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    expect(lstatSync(aside)).toEqual(before)
    expect(readFileSync(join(root, 'state.json'), 'utf8')).toContain('"idle"')
  })
})

/** Listens where the daemon would, and says this to each client. */
function speakerAt(root: string, says: string): void {
  mkdirSync(root, { mode: 0o700 })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.write(`${says}\n`)
  }).listen(join(root, 'daemon.sock'))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
}

it.each([
  ['a number', '5'],
  ['null', 'null'],
  ['a list', '[]'],
  ['a greeting that is none', '{"hello":5}'],
  ['a greeting without its numbers', '{"hello":{}}'],
  ['no JSON', 'hello'],
])('a socket that says %s is none of a daemon, and one is started', async (_, says) => {
  const { engine, root } = sandbox()
  speakerAt(root, says)
  expect(await engine.daemonStats()).toMatchObject({ services: 0, warnings: [] })
})

it.each([
  ['an error that is none', '{"hello":{"protocol":1,"pid":7}}\n{"id":1,"error":5}'],
  ['an error without its parts', '{"hello":{"protocol":1,"pid":7}}\n{"id":1,"error":{}}'],
])('a daemon that answers %s is an error for its client, and nothing worse', async (_, says) => {
  const { newEngine, root } = sandbox()
  speakerAt(root, says)
  const engine = newEngine({ requestTimeoutMs: 1_000 })
  await expect(engine.daemonStats()).rejects.toMatchObject({
    code: expect.stringMatching(/^DAEMON_(LOST|UNREACHABLE|UNRESPONSIVE)$/),
  })
})

describe('A lock in a directory that others may write to', () => {
  async function attacked(plant: (path: string) => void) {
    const directory = scratch()
    const lock = new CommandLock({ directory })
    await lock.withLock('migrate', () => {})
    const file = readdirSync(directory).find((name) => name.endsWith('.lock'))!
    rmSync(join(directory, file))
    plant(join(directory, file))
    return lock
  }

  it.each<[string, (own: string, path: string) => void]>([
    ['a link to a file of this user', (own, path) => symlinkSync(own, path)],
    ['a hard link of a file of this user', (own, path) => linkSync(own, path)],
    ['a link to nothing', (own, path) => symlinkSync(`${own}-new`, path)],
    ['a pipe', (_own, path) => void execFileSync('mkfifo', [path])],
    ['a directory', (_own, path) => mkdirSync(path)],
  ])('is refused where it is %s, and nothing is written through it', async (_, plant) => {
    const own = join(scratch(), 'own')
    writeFileSync(own, CANARY)
    const lock = await attacked((file) => plant(own, file))
    await expect(lock.withLock('migrate', () => 1)).rejects.toMatchObject({ code: 'LOCK_FAILED' })
    expect(readFileSync(own, 'utf8')).toBe(CANARY)
    expect(readdirSync(join(own, '..'))).toEqual(['own'])
    expect(lock.clearStale()).toBeLessThan(2)
    expect(readFileSync(own, 'utf8')).toBe(CANARY)
    expect(lock.getStats().held).toBe(0)
  })
})
