import { once } from 'node:events'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pm2Engine, type Pm2EngineOptions, type ServiceLogLine } from '@nexus/process-manager'
import { freePort } from '@nexus/test-kit'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Pm2Home } from './pm2-home.js'

const longMs = 60_000
/** Services without a port do not fail here, so no start has to wait to see whether they do. */
const soon = { minUptimeMs: 50 }

const scripts = {
  'web.cjs': `require('node:http')
    .createServer((request, response) => {
      if (request.url === '/health') response.statusCode = Number(process.env.HEALTH ?? 200)
      response.end(JSON.stringify({ greeting: process.env.GREETING, args: process.argv.slice(2), cwd: process.cwd() }))
    })
    .listen(process.env.PORT, '127.0.0.1')`,
  'idle.cjs': `setInterval(() => {}, 1000)`,
  'crash.cjs': `throw new TypeError('no config')`,
  'talk.cjs': `let n = 0
    for (; n < 300; n++) console.log('line ' + n)
    console.error('an error\\nof two lines')
    setInterval(() => console.log('later ' + n++), 50)`,
}

describe('Pm2Engine', { timeout: 4 * longMs }, () => {
  let home: Pm2Home
  let folder: string
  beforeAll(() => {
    home = new Pm2Home()
    folder = mkdtempSync(join(tmpdir(), 'nexus-pm2-scripts-'))
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folder, name), text)
  })
  afterEach(async () => {
    const engine = new Pm2Engine({ home: home.path, callTimeoutMs: longMs })
    for (const { name } of await engine.list()) await engine.delete(name)
    await engine.close()
  }, longMs)
  afterAll(() => {
    home.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  function openEngine(options: Pm2EngineOptions = {}): Pm2Engine {
    const engine = new Pm2Engine({
      home: home.path,
      connectTimeoutMs: longMs,
      callTimeoutMs: longMs,
      startTimeoutMs: longMs,
      ...options,
    })
    onTestFinished(() => engine.close())
    return engine
  }

  it('starts, lists, restarts, stops and deletes a service', async () => {
    const engine = openEngine()
    const port = await freePort()
    const definition = {
      name: 'web',
      script: join(folder, 'web.cjs'),
      args: ['--fast'],
      env: { GREETING: 'hello', SECRET_WORD: 'xyzzy' },
      port,
    }
    const started = await engine.start(definition)
    expect(started).toMatchObject({ name: 'web', script: definition.script, port, state: 'online' })
    const [instance] = started.instances
    expect(instance).toMatchObject({ index: 0, state: 'online', restarts: 0, exit: null })
    expect(instance!.pid).toBeGreaterThan(0)
    // It accepts work the moment that start resolves.
    const answer = await fetch(`http://127.0.0.1:${port}/`).then((response) => response.json())
    expect(answer).toEqual({ greeting: 'hello', args: ['--fast'], cwd: folder })
    expect(JSON.stringify(await engine.list())).not.toContain('xyzzy')

    // As it is defined here, so there is nothing to do; otherwise there is.
    expect(await engine.start(definition)).toMatchObject({ instances: [{ pid: instance!.pid }] })
    const changed = engine.start({ ...definition, args: ['--slow'] })
    await expect(changed).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
    const restarted = await engine.restart('web')
    expect(restarted.instances[0]).toMatchObject({ state: 'online', restarts: 1 })
    expect(restarted.instances[0]!.pid).not.toBe(instance!.pid)
    const again = await fetch(`http://127.0.0.1:${port}/`).then((response) => response.json())
    expect(again).toMatchObject({ greeting: 'hello' })

    const stopped = await engine.stop('web')
    expect(stopped).toMatchObject({ state: 'stopped', instances: [{ pid: null, startedAt: null }] })
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
    expect(await engine.start(definition)).toMatchObject({ state: 'online' })
    await engine.delete('web')
    expect(await engine.list()).toEqual([])
    await expect(engine.stop('web')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('ends in the state of the last of several commands issued at once', async () => {
    const [one, two] = [openEngine(), openEngine()]
    const definition = { name: 'busy', script: join(folder, 'idle.cjs'), restart: soon }
    await one.start(definition)
    const commands = [
      one.restart('busy'),
      one.stop('busy'),
      one.start(definition),
      one.stop('busy'),
    ]
    const others = [two.restart('busy'), two.restart('busy')]
    await Promise.all([...commands, ...others])
    expect(['stopped', 'online']).toContain((await one.list())[0]?.state)
    await Promise.all([one.restart('busy'), one.stop('busy'), one.restart('busy')])
    expect(await one.list()).toMatchObject([{ name: 'busy', state: 'online' }])
    await Promise.all([one.restart('busy'), one.stop('busy')])
    expect(await one.list()).toMatchObject([{ name: 'busy', state: 'stopped' }])
    await one.delete('busy')
  })

  it('runs several instances on one port', async () => {
    const engine = openEngine()
    const port = await freePort()
    const script = join(folder, 'web.cjs')
    const { instances } = await engine.start({ name: 'many', script, port, instances: 2 })
    expect(instances.map(({ index, state }) => [index, state])).toEqual([
      [0, 'online'],
      [1, 'online'],
    ])
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
    await engine.delete('many')
  })

  it('checks health, at a start and when asked', async () => {
    const engine = openEngine({ startTimeoutMs: 3000 })
    const port = await freePort()
    const service = {
      name: 'checked',
      script: join(folder, 'web.cjs'),
      port,
      health: { url: `http://127.0.0.1:${port}/health` },
    }
    const failure = engine.start({ ...service, env: { HEALTH: '503' } })
    await expect(failure).rejects.toMatchObject({ code: 'START_TIMEOUT' })
    const report = await engine.health('checked', longMs)
    expect(report).toMatchObject({ name: 'checked', healthy: false })
    expect(report.reason).toContain('answered 503')
    await engine.delete('checked')

    const patient = openEngine()
    await patient.start(service)
    expect(await patient.health('checked', longMs)).toMatchObject({ healthy: true, reason: null })
    await patient.stop('checked')
    expect(await patient.health('checked', longMs)).toMatchObject({
      healthy: false,
      reason: 'it is stopped',
    })
    await patient.delete('checked')
  })

  it('says why a service does not start', async () => {
    const engine = openEngine()
    const crash = engine.start({
      name: 'crash',
      script: join(folder, 'crash.cjs'),
      // However late it fails on a busy machine, that is early.
      restart: { maxRestarts: 2, minUptimeMs: 20_000 },
    })
    await expect(crash).rejects.toMatchObject({ code: 'START_FAILED' })
    await expect(crash).rejects.toThrow(/exit code 1; it said: TypeError: no config/)
    expect(await engine.list()).toMatchObject([{ name: 'crash', state: 'errored' }])
    await engine.delete('crash')

    const missing = engine.start({ name: 'missing', script: join(folder, 'missing.cjs') })
    await expect(missing).rejects.toMatchObject({ code: 'SCRIPT_NOT_FOUND' })

    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    const taken = engine.start({ name: 'taken', script: join(folder, 'web.cjs'), port })
    await expect(taken).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    expect(await engine.list()).toEqual([])
  })

  it('refuses what PM2 cannot do, and what would break PM2', async () => {
    const engine = openEngine()
    const script = join(folder, 'idle.cjs')
    for (const wish of [{ maxCpuPercent: 50 }, { health: { ipc: true } }, { env: { name: 'x' } }]) {
      const refused = engine.start({ name: 'wish', script, ...wish })
      await expect(refused).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
    }
  })

  it('shows the last lines of a log with their times, and follows it', async () => {
    const engine = openEngine()
    const before = Date.now()
    await engine.start({ name: 'talk', script: join(folder, 'talk.cjs'), restart: soon })
    const all = () => collect(engine.logs('talk', { lines: 10_000 }))
    await expect
      .poll(async () => (await all()).filter(({ stream }) => stream === 'stderr').length, {
        timeout: longMs,
      })
      .toBe(2)
    const lines = await all()
    expect(lines.filter(({ text }) => text.startsWith('line ')).map(({ text }) => text)).toEqual(
      Array.from({ length: 300 }, (_, n) => `line ${n}`),
    )
    expect(lines.filter(({ stream }) => stream === 'stderr').map(({ text }) => text)).toEqual([
      'an error',
      'of two lines',
    ])
    for (const { time, name, instance } of lines) {
      expect({ name, instance }).toEqual({ name: 'talk', instance: 0 })
      expect(time).toBeGreaterThanOrEqual(before - 1000)
    }
    expect(await collect(engine.logs('talk', { lines: 3 }))).toHaveLength(3)

    const newest = async () => (await collect(engine.logs('talk', { lines: 1 })))[0]?.text
    await expect.poll(newest, { timeout: longMs }).toMatch(/^later/)
    const stop = new AbortController()
    const followed: string[] = []
    for await (const { text } of engine.logs('talk', {
      lines: 1,
      follow: true,
      signal: stop.signal,
    })) {
      followed.push(text)
      if (followed.length === 6) stop.abort()
    }
    const numbers = followed.map((text) => Number(/later (\d+)/.exec(text)?.[1]))
    const [first] = numbers
    expect(numbers).toEqual(numbers.map((_, i) => first! + i))
    await engine.delete('talk')
  })

  it('reads plain logs of services that were started by other means', async () => {
    const engine = openEngine()
    await engine.start({ name: 'plain', script: join(folder, 'idle.cjs'), restart: soon })
    const logs = join(home.path, 'logs')
    const log = join(logs, readdirSync(logs).find((file) => file.startsWith('plain-out'))!)
    const record = { level: 30, msg: 'not of PM2' }
    appendFileSync(log, `a plain line\n${JSON.stringify(record)}\nhalf a li`)
    const texts = (await collect(engine.logs('plain', {}))).map(({ text }) => text)
    expect(texts).toEqual(['a plain line', JSON.stringify(record)])
    await engine.delete('plain')
    expect(() => statSync(log)).toThrow('ENOENT')
  })

  it('saves what runs and resurrects it after the daemon was killed', async () => {
    const engine = openEngine()
    const port = await freePort()
    await engine.start({
      name: 'web',
      script: join(folder, 'web.cjs'),
      port,
      env: { GREETING: 'saved' },
    })
    await engine.start({
      name: 'idle',
      script: join(folder, 'idle.cjs'),
      instances: 2,
      restart: soon,
    })
    expect(await engine.save()).toBe(2)
    expect(await engine.resurrect()).toEqual([])
    const dump = join(home.path, 'dump.pm2')
    if (process.platform !== 'win32') expect(statSync(dump).mode & 0o077).toBe(0)
    expect(JSON.parse(readFileSync(dump, 'utf8'))).toHaveLength(3)

    await Promise.all([engine.delete('web'), engine.stop('idle')])
    home.signal('SIGKILL')
    await expect.poll(() => home.daemons(), { timeout: longMs }).toEqual([])
    expect(await engine.resurrect()).toEqual(['web', 'idle'])
    expect(await engine.list()).toMatchObject([
      { name: 'web', port, instances: [{}] },
      { name: 'idle', instances: [{}, {}] },
    ])
    const greets = async () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        (r) => r.json(),
        () => null,
      )
    await expect.poll(greets, { timeout: longMs }).toMatchObject({ greeting: 'saved' })
  })
})

async function collect(lines: AsyncIterable<ServiceLogLine>): Promise<ServiceLogLine[]> {
  const found: ServiceLogLine[] = []
  for await (const line of lines) found.push(line)
  return found
}
