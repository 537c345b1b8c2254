import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { eventually, freePort } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fixture, getJson, isAlive, logLines, sandbox, statusOf } from './support/sandbox.js'

describe('A service', () => {
  it('is started with its arguments, directory, environment and title, and listens when start resolves', async () => {
    const { engine, home } = sandbox()
    const port = await freePort()
    const cwd = join(home, 'elsewhere')
    mkdirSync(cwd)
    const status = await engine.start({
      name: 'web',
      script: fixture('http.mjs'),
      args: ['--loud', 'a b'],
      cwd,
      env: { GREETING: 'hello' },
      port,
    })
    expect(status).toMatchObject({ name: 'web', port, state: 'online' })
    expect(await getJson(port)).toMatchObject({
      pid: status.instances[0]?.pid,
      argv: [process.execPath, fixture('http.mjs'), '--loud', 'a b'],
      cwd,
      title: 'nexus: web',
      greeting: 'hello',
      instance: '0',
    })
  })

  it('becomes a process that waited, where one did', async () => {
    const { engine } = sandbox({ daemon: { warmPool: { size: 1, refillDelayMs: 60_000 } } })
    await eventually(
      () => engine.daemonStats(),
      ({ warmPool }) => warmPool.idle === 1,
    )
    const port = await freePort()
    await engine.start({ name: 'web', script: fixture('http.mjs'), port, env: { GREETING: 'hi' } })
    expect(await getJson(port)).toMatchObject({ title: 'nexus: web', greeting: 'hi' })
    expect((await engine.daemonStats()).warmPool).toMatchObject({ warmStarts: 1, coldStarts: 0 })
  })

  it('runs as the main module, in CommonJS too', async () => {
    const { engine } = sandbox()
    await engine.start({ name: 'main', script: fixture('main.cjs'), args: ['x'] })
    const lines = await eventually(
      () => logLines(engine, 'main'),
      ({ length }) => length > 0,
    )
    expect(JSON.parse(lines[0]?.text ?? '')).toEqual({ main: true, argv: ['x'] })
  })

  it('shows its environment nowhere', async () => {
    const { engine, root } = sandbox()
    await engine.start({
      name: 'secretive',
      script: fixture('idle.mjs'),
      env: { TOKEN: 'swordfish' },
    })
    expect(JSON.stringify(await engine.list())).not.toContain('swordfish')
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const holding = files.filter((file) => readFileSync(file, 'latin1').includes('swordfish'))
    // What it needs to start the service again is for this user alone.
    expect(holding).toEqual([join(root, 'state.json')])
    expect(statSync(join(root, 'state.json')).mode & 0o777).toBe(0o600)
    expect(statSync(root).mode & 0o777).toBe(0o700)
    const pid = (await engine.list())[0]?.instances[0]?.pid
    expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain('swordfish')
  })

  it('shares its port among several instances, and goes on answering while they restart', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const definition = { name: 'many', script: fixture('http.mjs'), port, instances: 3 }
    const { instances } = await engine.start(definition)
    const pids = instances.map(({ pid }) => pid)
    const answering = new Set<number>()
    await eventually(
      async () => answering.add((await getJson(port)).pid),
      ({ size }) => size === 3,
    )
    expect([...answering].sort()).toEqual([...pids].sort())

    let failures = 0
    let restarting = true
    const asking = (async () => {
      while (restarting) await getJson(port).catch(() => failures++)
    })()
    const restarted = await engine.restart('many')
    restarting = false
    await asking
    expect(restarted.instances.map(({ restarts }) => restarts)).toEqual([1, 1, 1])
    expect(restarted.instances.some(({ pid }) => pids.includes(pid))).toBe(false)
    // A connection that an instance had accepted as it was told to end is its own affair.
    expect(failures).toBeLessThanOrEqual(3)
  })

  it('is started once when it is started twice as it is, and refused when it differs', async () => {
    const { engine } = sandbox()
    const definition = { name: 'one', script: fixture('idle.mjs') }
    const first = await engine.start(definition)
    expect((await engine.start(definition)).instances[0]?.pid).toBe(first.instances[0]?.pid)
    await expect(engine.start({ ...definition, args: ['x'] })).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
    })
    await engine.stop('one')
    expect(await engine.start({ ...definition, args: ['x'] })).toMatchObject({ state: 'online' })
  })

  it('accepts work before it is ready, when its start may be lazy', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const status = await engine.start({
      name: 'lazy',
      script: fixture('lazy.mjs'),
      port,
      lazyInit: true,
    })
    expect(status.state).toBe('initialising')
    await fetch(`http://127.0.0.1:${port}/ready`)
    await statusOf(engine, 'lazy', ({ state }) => state === 'online')
  })

  it('is online when a program it starts listens on its port', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const status = await engine.start({
      name: 'script',
      script: fixture('starts-server.mjs'),
      port,
    })
    expect(status.state).toBe('online')
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('child')
  })

  it('starts when its health check passes for the first time', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/health`
    await engine.start({ name: 'web', script: fixture('http.mjs'), port, health: { url } })
    expect(await engine.health('web', 10_000)).toMatchObject({ healthy: true, reason: null })
    await fetch(`http://127.0.0.1:${port}/ill`)
    expect(await engine.health('web', 10_000)).toMatchObject({
      healthy: false,
      reason: `${url} answered 503`,
    })
  })
})

describe('A service that cannot start', () => {
  it('is refused when its script is missing', async () => {
    const { engine } = sandbox()
    const script = fixture('missing.mjs')
    await expect(engine.start({ name: 'gone', script })).rejects.toMatchObject({
      code: 'SCRIPT_NOT_FOUND',
      message: `Service "gone" did not start: there is no file ${script}.`,
    })
    expect(await engine.list()).toMatchObject([{ name: 'gone', state: 'errored' }])
  })

  it('says which error its script ended with', async () => {
    const { engine } = sandbox()
    await expect(
      engine.start({ name: 'broken', script: fixture('throws.mjs') }),
    ).rejects.toMatchObject({
      code: 'START_FAILED',
      details: { reason: 'ended with code 1: TypeError: broken on purpose' },
    })
  })

  it('is told from one that works when its script ends at once, with code 0 too', async () => {
    const { engine } = sandbox()
    await expect(
      engine.start({ name: 'brief', script: fixture('exits.mjs') }),
    ).rejects.toMatchObject({
      code: 'START_FAILED',
      details: { reason: 'ended with code 0: Error: nothing to do' },
    })
  })

  it.each([1, 2])('says that its port is taken, with %i instances', async (instances) => {
    const { engine } = sandbox()
    const port = await freePort()
    const other = createServer().listen(port, '127.0.0.1')
    onTestFinished(() => void other.close())
    await expect(
      engine.start({ name: 'late', script: fixture('http.mjs'), port, instances }),
    ).rejects.toMatchObject({ code: 'PORT_TAKEN', details: { port } })
    other.close()
    // The restart rule goes on, so it comes up by itself once the port is free.
    await statusOf(engine, 'late', ({ state }) => state === 'online')
    expect(await getJson(port)).toHaveProperty('pid')
  })

  it('has its clients refused once all its instances are given up', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const restart = { maxRestarts: 0, minUptimeMs: 600_000 }
    const script = fixture('http.mjs')
    await engine.start({ name: 'two', script, port, instances: 2, restart })
    await eventually(
      async () => {
        await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {})
        return (await engine.list())[0]?.instances.map(({ state }) => state).join()
      },
      (states) => states === 'errored,errored',
    )
    await expect(getJson(port)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })

  it('is given up waiting for after the time limit, and can be stopped', async () => {
    const { newEngine } = sandbox()
    const engine = newEngine({ startTimeoutMs: 500 })
    const port = await freePort()
    await expect(
      engine.start({ name: 'deaf', script: fixture('idle.mjs'), port }),
    ).rejects.toMatchObject({ code: 'START_TIMEOUT' })
    // Who asks again waits again.
    const again = engine.start({ name: 'deaf', script: fixture('idle.mjs'), port })
    await expect(again).rejects.toMatchObject({ code: 'START_TIMEOUT' })
    expect(await engine.stop('deaf')).toMatchObject({ state: 'stopped' })
  })
})

describe('A stop', () => {
  it('lets the service end by itself', async () => {
    const { engine } = sandbox()
    await engine.start({ name: 'polite', script: fixture('polite.mjs') })
    expect(await engine.stop('polite')).toMatchObject({
      state: 'stopped',
      instances: [{ pid: null, exit: { code: 0, signal: null } }],
    })
    await eventually(
      () => logLines(engine, 'polite'),
      (lines) => lines.some(({ text }) => text === 'goodbye'),
    )
  })

  it('kills what does not end by itself, and all that it started', async () => {
    const { engine } = sandbox()
    await engine.start({ name: 'stubborn', script: fixture('stubborn.mjs'), stopTimeoutMs: 200 })
    const lines = await eventually(
      () => logLines(engine, 'stubborn'),
      (found) => found.some(({ text }) => text.startsWith('child')),
    )
    const child = Number(lines.find(({ text }) => text.startsWith('child'))?.text.slice(6))
    expect(isAlive(child)).toBe(true)
    expect(await engine.stop('stubborn')).toMatchObject({
      instances: [{ exit: { code: null, signal: 'SIGKILL' } }],
    })
    await eventually(
      () => isAlive(child),
      (alive) => !alive,
    )
  })

  it('is an error for an unknown service', async () => {
    const { engine } = sandbox()
    await expect(engine.stop('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('ends with nothing left when the whole is shut down', async () => {
    const { engine, processes } = sandbox({ daemon: { warmPool: { size: 1 } } })
    await engine.start({ name: 'a', script: fixture('idle.mjs'), instances: 2 })
    await engine.shutdown()
    await eventually(processes, ({ length }) => length === 0)
  })

  it('lets the daemon end when nothing runs and no client is connected, and the next command starts it', async () => {
    const { engine, newEngine, processes } = sandbox({ daemon: { idleExitMs: 200 } })
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    await engine.stop('idle')
    await engine.close()
    await eventually(processes, ({ length }) => length === 0)
    expect(await newEngine().list()).toMatchObject([{ name: 'idle', state: 'stopped' }])
  })

  it('forgets the service and its logs when it is deleted', async () => {
    const { engine, root } = sandbox()
    await engine.start({ name: 'gone', script: fixture('chatty.mjs'), args: ['3'] })
    await engine.delete('gone')
    expect(await engine.list()).toEqual([])
    expect(readdirSync(join(root, 'logs'))).toEqual([])
  })
})
