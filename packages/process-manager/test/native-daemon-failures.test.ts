import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { eventually, freePort } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fixture, getJson, isAlive, logLines, sandbox, statusOf } from './support/sandbox.js'

const daemonPath = fileURLToPath(new URL('../dist/daemon.cjs', import.meta.url))
const nativeModule = new URL('../dist/native.js', import.meta.url)

async function killDaemon(engine: ReturnType<typeof sandbox>['engine']) {
  const { pid } = await engine.daemonStats()
  process.kill(pid, 'SIGKILL')
  await eventually(
    () => isAlive(pid),
    (alive) => !alive,
  )
}

describe('When the daemon was killed', () => {
  it('its services go on, and the next daemon adopts them', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const before = await engine.start({ name: 'web', script: fixture('http.mjs'), port })
    await killDaemon(engine)
    expect(await getJson(port)).toMatchObject({ pid: before.instances[0]?.pid })

    const [adopted] = await engine.list()
    expect(adopted).toMatchObject({
      state: 'online',
      instances: [{ pid: before.instances[0]?.pid, startedAt: before.instances[0]?.startedAt }],
    })
    expect(await engine.health('web', 10_000)).toMatchObject({ healthy: true })
    // An adopted service is watched like any other.
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {})
    await statusOf(
      engine,
      'web',
      ({ state, instances }) => state === 'online' && instances[0]?.restarts === 1,
    )
    expect(await engine.stop('web')).toMatchObject({ state: 'stopped' })
  })

  it('what its services print meanwhile is in their logs', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    await engine.start({ name: 'web', script: fixture('http.mjs'), port })
    await killDaemon(engine)
    await eventually(
      async () => {
        await getJson(port, '/say')
        return await logLines(engine, 'web')
      },
      (lines) => lines.some(({ text }) => text === 'said when asked'),
    )
  })

  it('what ended meanwhile is started again', async () => {
    const { engine } = sandbox()
    const status = await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    const pid = status.instances[0]?.pid as number
    await killDaemon(engine)
    process.kill(pid, 'SIGKILL')
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
    )
    await statusOf(engine, 'idle', ({ state }) => state === 'online')
  })

  it('several instances on one port are restarted, because their socket is gone with it', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const before = await engine.start({
      name: 'many',
      script: fixture('http.mjs'),
      port,
      instances: 2,
    })
    await killDaemon(engine)
    expect(before.instances.map(({ pid }) => pid)).toContain((await getJson(port)).pid)
    await statusOf(
      engine,
      'many',
      ({ state, instances }) =>
        state === 'online' && !before.instances.some(({ pid }) => pid === instances[0]?.pid),
    )
    for (const { pid } of before.instances) expect(isAlive(pid as number)).toBe(false)
  })

  it('again and again, at any moment, no service is lost and none runs twice', async () => {
    const { engine, newEngine, processes } = sandbox()
    const port = await freePort()
    const script = fixture('idle.mjs')
    await engine.start({ name: 'plain', script })
    await engine.start({ name: 'asked', script, health: { ipc: true } })
    await engine.start({ name: 'many', script: fixture('http.mjs'), port, instances: 2 })
    await engine.start({ name: 'stopped', script })
    await engine.stop('stopped')
    for (const afterMs of [0, 2, 5, 10, 20, 40, 80, 160]) {
      const { pid } = await newEngine().daemonStats()
      await pause(afterMs)
      process.kill(pid, 'SIGKILL')
      await eventually(
        () => isAlive(pid),
        (alive) => !alive,
      )
    }
    await eventually(
      async () => (await engine.list()).map(({ name, state }) => `${name} ${state}`).join(', '),
      (states) => states === 'plain online, asked online, many online, stopped stopped',
    )
    // The daemon, and four processes of services.
    await eventually(processes, ({ length }) => length === 5)
  })

  it('processes that waited to become services end', async () => {
    const { engine, processes } = sandbox({ daemon: { warmPool: { size: 2 } } })
    await eventually(
      () => engine.daemonStats(),
      ({ warmPool }) => warmPool.idle === 2,
    )
    await killDaemon(engine)
    await eventually(processes, ({ length }) => length === 0)
  })

  it('a command that it had not answered says so', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const { pid } = await engine.daemonStats()
    const starting = engine.start({ name: 'deaf', script: fixture('idle.mjs'), port })
    const failure = expect(starting).rejects.toMatchObject({ code: 'DAEMON_LOST' })
    await statusOf(engine, 'deaf', ({ state }) => state === 'starting')
    process.kill(pid, 'SIGKILL')
    await failure
  })
})

describe('When the daemon was stopped', () => {
  it('a call rejects in time and says what to do, and works once it goes on', async () => {
    const { engine, newEngine } = sandbox()
    const { pid } = await engine.daemonStats()
    const connected = newEngine({ requestTimeoutMs: 1_000 })
    await connected.daemonStats()
    process.kill(pid, 'SIGSTOP')
    const unconnected = newEngine({ requestTimeoutMs: 1_000 })
    for (const impatient of [connected, unconnected]) {
      await expect(impatient.stop('web')).rejects.toMatchObject({
        code: 'DAEMON_UNRESPONSIVE',
        message: expect.stringContaining(`kill -CONT ${pid}`),
      })
    }
    process.kill(pid, 'SIGCONT')
    expect(await engine.daemonStats()).toMatchObject({ pid })
  })
})

describe('When the socket was deleted', () => {
  it('the daemon makes another, and clients that had lost it find it', async () => {
    const { engine, newEngine, root } = sandbox()
    const { pid } = await engine.daemonStats()
    rmSync(join(root, 'daemon.sock'))
    expect(await newEngine().daemonStats()).toMatchObject({ pid })
    expect(existsSync(join(root, 'daemon.sock'))).toBe(true)
    // Who was connected notices nothing.
    expect(await engine.daemonStats()).toMatchObject({ pid })
  })

  it('a file in its place that no daemon listens at is replaced', async () => {
    const { engine, root } = sandbox()
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, 'daemon.sock'), '')
    expect(await engine.daemonStats()).toMatchObject({ services: 0 })
  })
})

describe('When the disk is full', () => {
  it('services are started, watched and stopped all the same, with a warning for each thing left undone', async () => {
    const { engine, root } = sandbox()
    await engine.daemonStats()
    // Every write to these ends with ENOSPC.
    for (const file of ['state.json.new', 'status.json.new', 'logs/web.log']) {
      mkdirSync(join(root, 'logs'), { recursive: true })
      rmSync(join(root, file), { force: true })
      symlinkSync('/dev/full', join(root, file))
    }
    const port = await freePort()
    await engine.start({ name: 'web', script: fixture('http.mjs'), port })
    // The answer itself says so.
    expect(engine.warnings).toEqual(
      expect.arrayContaining([
        'could not write its state: ENOSPC: no space left on device, write',
        'could not write its status: ENOSPC: no space left on device, write',
      ]),
    )
    expect(await getJson(port)).toHaveProperty('pid')
    const { warnings } = await eventually(
      () => engine.daemonStats(),
      (stats) => stats.warnings.length === 3,
    )
    expect(warnings.sort()).toEqual([
      'could not write its state: ENOSPC: no space left on device, write',
      'could not write its status: ENOSPC: no space left on device, write',
      'could not write logs: ENOSPC: no space left on device, write',
    ])
    const said = () => readFileSync(join(root, 'daemon.log'), 'utf8').match(/ENOSPC/g)
    expect(said()).toHaveLength(3)
    expect(await engine.stop('web')).toMatchObject({ state: 'stopped' })
    expect(engine.warnings).toContain(
      'could not write its state: ENOSPC: no space left on device, write',
    )
    expect(said()).toHaveLength(3)

    for (const file of ['state.json.new', 'status.json.new', 'logs/web.log'])
      rmSync(join(root, file))
    await engine.restart('web')
    await eventually(
      async () => (await engine.daemonStats()).warnings,
      ({ length }) => length === 0,
    )
    expect(await engine.list()).toMatchObject([{ name: 'web', state: 'online' }])
  })
})

describe('When neither state nor status can be written', () => {
  it('what is listed is true all the same', async () => {
    const { newEngine, root } = sandbox()
    mkdirSync(root, { recursive: true, mode: 0o700 })
    for (const file of ['state.json.new', 'status.json.new']) {
      symlinkSync('/dev/full', join(root, file))
    }
    const script = fixture('idle.mjs')
    const listed = async () => (await newEngine().list()).map(({ name, state }) => [name, state])
    expect(await listed()).toEqual([])
    await newEngine().start({ name: 'idle', script })
    expect(await listed()).toEqual([['idle', 'online']])
    rmSync(join(root, 'status.json.new'))
    await newEngine().start({ name: 'other', script })
    expect(existsSync(join(root, 'status.json'))).toBe(true)
    // What was written before is true no more.
    symlinkSync('/dev/full', join(root, 'status.json.new'))
    await newEngine().stop('idle')
    expect(await listed()).toEqual([
      ['idle', 'stopped'],
      ['other', 'online'],
    ])
  })
})

describe('When the disk is full for the daemon itself', () => {
  it('it lives, though it cannot even say so', async () => {
    const { engine, root } = sandbox()
    mkdirSync(join(root, 'logs'), { recursive: true })
    for (const file of ['daemon.log', 'logs/idle.log']) symlinkSync('/dev/full', join(root, file))
    await engine.start({ name: 'idle', script: fixture('polite.mjs') })
    await engine.stop('idle')
    await eventually(
      async () => (await engine.daemonStats()).warnings,
      ({ length }) => length === 1,
    )
  })
})

describe('When several processes need the daemon at once', () => {
  it('they start one', async () => {
    const { home, processes } = sandbox()
    const script = `
      import { NativeEngine } from ${JSON.stringify(nativeModule.href)}
      const engine = new NativeEngine({
        home: ${JSON.stringify(home)}, requestTimeoutMs: 20_000, daemon: { warmPool: { size: 0 } },
      })
      console.log((await engine.daemonStats()).pid)
      await engine.close()`
    const clients = Array.from({ length: 6 }, async () => {
      const client = spawn(process.execPath, ['--input-type=module', '-e', script], {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      for await (const chunk of client.stdout) output += chunk
      return Number(output)
    })
    const pids = new Set(await Promise.all(clients))
    expect(pids.size).toBe(1)
    await eventually(processes, (left) => left.length === 1 && pids.has(left[0] as number))
  })

  it('a second daemon started by hand gives way to the first', async () => {
    const { engine, home, processes } = sandbox()
    const { pid } = await engine.daemonStats()
    const second = spawn(process.execPath, [daemonPath, home, '{}'], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    })
    let said = ''
    for await (const chunk of second.stdio[3] as AsyncIterable<Buffer>) said += chunk
    expect(said).toBe('held')
    await eventually(processes, (left) => left.join() === String(pid))
    expect(await engine.daemonStats()).toMatchObject({ pid })
  })
})

describe('When what the daemon knew cannot be read', () => {
  it('what still runs is found, goes on, and is said loudly; it is not started again as it is not known', async () => {
    const { engine, newEngine, root } = sandbox()
    const port = await freePort()
    const definition = { name: 'web', script: fixture('http.mjs'), port, env: { GREETING: 'hi' } }
    const { instances } = await engine.start(definition)
    const pid = instances[0]?.pid
    await engine.start({ name: 'stopped', script: fixture('idle.mjs') })
    await engine.stop('stopped')
    await killDaemon(engine)
    writeFileSync(join(root, 'state.json'), '{"version":1,"services":[{"defi')
    // Twice: the second one reads what the first has written.
    for (const round of [1, 2]) {
      const next = newEngine()
      const { warnings } = await next.daemonStats()
      if (round === 1) {
        expect(warnings).toEqual([
          expect.stringContaining('state.json.unreadable'),
          expect.stringContaining('these go on: web.'),
        ])
      }
      expect(await next.list()).toMatchObject([
        { name: 'web', state: 'online', instances: [{ pid }] },
      ])
      expect(await getJson(port)).toMatchObject({ pid })
      await expect(next.restart('web')).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
      if (round === 1) await killDaemon(next)
    }
    const last = newEngine()
    await getJson(port, '/say')
    await eventually(
      () => logLines(last, 'web'),
      (lines) => lines.some(({ text }) => text === 'said when asked'),
    )
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {})
    await statusOf(last, 'web', ({ state }) => state === 'errored')
    expect(await last.start(definition)).toMatchObject({ state: 'online' })
    expect(await getJson(port)).toMatchObject({ greeting: 'hi' })
  })

  const harm = (root: string, how: (file: string) => void) => {
    for (const file of ['state.json', 'status.json']) how(join(root, file))
  }

  it.each<[string, (root: string) => void]>([
    ['its files are damaged', (root) => harm(root, (file) => writeFileSync(file, '{"version":1,'))],
    ['its files are empty', (root) => harm(root, (file) => writeFileSync(file, ''))],
    ['its files are gone', (root) => harm(root, (file) => rmSync(file))],
    [
      'its files are directories',
      (root) =>
        harm(root, (file) => {
          rmSync(file)
          mkdirSync(file)
        }),
    ],
  ])('every process that runs is found, whatever was lost: %s', async (_what, lose) => {
    const { engine, newEngine, root } = sandbox()
    const port = await freePort()
    await engine.start({ name: 'web', script: fixture('http.mjs'), port, instances: 2 })
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    await engine.restart('idle')
    const pids = (services: Awaited<ReturnType<typeof engine.list>>) =>
      services.flatMap(({ instances }) => instances.map(({ pid }) => pid as number)).sort()
    const before = pids(await engine.list())
    await killDaemon(engine)
    lose(root)
    const next = newEngine()
    expect(await next.list()).toMatchObject([
      { name: 'web', port, state: 'online' },
      { name: 'idle', port: null, state: 'online', script: fixture('idle.mjs') },
    ])
    expect(pids(await next.list())).toEqual(before)
    const goOn = expect.stringContaining('these go on: web, idle.')
    expect((await next.daemonStats()).warnings).toContainEqual(goOn)
    expect(before).toContain((await getJson(port)).pid)
    for (const name of ['web', 'idle']) {
      expect(await next.stop(name)).toMatchObject({ state: 'stopped' })
    }
    expect(before.filter(isAlive)).toEqual([])
    // Who was started again is known again.
    for (const name of ['web', 'idle']) await next.start({ name, script: fixture('idle.mjs') })
    expect((await next.daemonStats()).warnings).not.toContainEqual(goOn)
  })

  it('a process that began after the state was written last is given back to its service', async () => {
    const { engine, newEngine, root, processes } = sandbox()
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    await engine.stop('idle')
    const old = readFileSync(join(root, 'state.json'))
    const { instances } = await engine.restart('idle')
    await killDaemon(engine)
    // As a full disk leaves it.
    writeFileSync(join(root, 'state.json'), old)
    const next = newEngine()
    expect(await next.list()).toMatchObject([
      { name: 'idle', state: 'online', instances: [{ pid: instances[0]?.pid }] },
    ])
    expect((await next.daemonStats()).warnings).toEqual([])
    expect(await next.restart('idle')).toMatchObject({ state: 'online' })
    await eventually(processes, ({ length }) => length === 2)
  })

  it('it is never written over, also where it cannot be put aside', async () => {
    const { engine, root } = sandbox()
    mkdirSync(root, { recursive: true })
    const state = join(root, 'state.json')
    for (let n = 1; n <= 100; n++) writeFileSync(`${state}.unreadable${n === 1 ? '' : `.${n}`}`, '')
    writeFileSync(state, 'mine')
    expect(await engine.start({ name: 'idle', script: fixture('idle.mjs') })).toMatchObject({
      state: 'online',
    })
    await engine.stop('idle')
    expect(readFileSync(state, 'utf8')).toBe('mine')
  })

  it('it is put aside, and the daemon starts empty with a warning', async () => {
    const { engine, root } = sandbox()
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, 'state.json'), '{"version":1,"services":[{"defi')
    expect(await engine.list()).toEqual([])
    const { warnings } = await engine.daemonStats()
    expect(warnings).toEqual([expect.stringContaining('state.json.unreadable')])
    expect(readFileSync(join(root, 'state.json.unreadable'), 'utf8')).toContain('{"version"')
  })
})

describe('When its directory was removed', () => {
  it('the daemon ends with its services, and leaves the next one alone', async () => {
    const { engine, newEngine, root, processes } = sandbox()
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    const before = processes()
    rmSync(root, { recursive: true })
    const later = newEngine()
    const { pid } = await later.daemonStats()
    await later.start({ name: 'other', script: fixture('idle.mjs') })
    await eventually(
      () => before.filter(isAlive),
      ({ length }) => length === 0,
    )
    expect(await later.daemonStats()).toMatchObject({ pid, services: 1, processes: 1 })
    expect(await later.list()).toMatchObject([{ name: 'other', state: 'online' }])
  })
})

describe('When the daemon is of another version', () => {
  it('a call says which, and what to do', async () => {
    const { engine, root } = sandbox()
    mkdirSync(root, { recursive: true })
    const server = createServer((socket) => {
      socket.write(`${JSON.stringify({ hello: { protocol: 99, pid: 4_711 } })}\n`)
    }).listen(join(root, 'daemon.sock'))
    onTestFinished(() => void server.close())
    await expect(engine.daemonStats()).rejects.toMatchObject({
      code: 'DAEMON_INCOMPATIBLE',
      message: expect.stringContaining('kill 4711'),
    })
  })
})

describe('A home that is no directory', () => {
  it('is refused', async () => {
    const { home, newEngine } = sandbox()
    writeFileSync(join(home, 'file'), '')
    const engine = newEngine({ home: join(home, 'file') })
    await expect(engine.daemonStats()).rejects.toMatchObject({ code: 'HOME_UNUSABLE' })
    // It is not the same as one without services.
    await expect(engine.list()).rejects.toMatchObject({ code: 'HOME_UNUSABLE' })
    await expect(logLines(engine, 'web')).rejects.toMatchObject({ code: 'HOME_UNUSABLE' })
  })

  it.skipIf(process.getuid?.() === 0)('is refused when this user may not read it', async () => {
    const { home, root, engine, newEngine } = sandbox()
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    chmodSync(root, 0)
    onTestFinished(() => chmodSync(root, 0o700))
    await expect(newEngine({ home }).list()).rejects.toMatchObject({ code: 'HOME_UNUSABLE' })
  })
})

describe('A home with a long path', () => {
  it('works with a path longer than a socket address can hold', async () => {
    const { home, newEngine } = sandbox()
    const engine = newEngine({ home: join(home, 'x'.repeat(120)) })
    expect(await engine.start({ name: 'idle', script: fixture('idle.mjs') })).toMatchObject({
      state: 'online',
    })
    await engine.shutdown()
  })
})
