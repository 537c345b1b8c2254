import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, startRedis, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { nexus } from './nexus.js'
import { ServiceHome } from './service-home.js'

const done = { code: 0, stderr: '' }

/** How many values a Redis server was given so far. */
async function writesOf(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.end('INFO commandstats\r\n')
  let text = ''
  for await (const chunk of socket) text += chunk
  return Number(/cmdstat_set:calls=(\d+)/.exec(text)?.[1] ?? 0)
}

describe('nexus service', () => {
  it('applies a file again and again, scales and reloads', async () => {
    const home = new ServiceHome()
    const port = await freePort()
    writeFileSync(join(home.path, '.env'), 'GREETING=from the file\n')
    const file = join(home.path, 'services.yaml')
    writeFileSync(
      file,
      `services:\n  web: { script: web.mjs, port: ${port}, envFile: .env }\n  idle: { script: idle.mjs }\n`,
    )
    expect(await home.run('apply', file)).toMatchObject({
      ...done,
      stdout: 'web started, is online\nidle started, is online\n',
    })
    expect((await home.run('apply', file)).stdout).toBe(
      'web unchanged, is online\nidle unchanged, is online\n',
    )
    const ask = async () => await (await fetch(`http://127.0.0.1:${port}`)).json()
    const before = await ask()
    expect(before).toMatchObject({ greeting: 'from the file' })
    expect(await home.run('reload', 'web')).toMatchObject(done)
    expect((await ask()).pid).not.toBe(before.pid)
    expect(await home.run('scale', 'web', '2')).toMatchObject(done)
    expect((await home.json('status', 'web'))[0]?.instances).toHaveLength(2)
    expect(await home.run('scale', 'web', 'many')).toMatchObject({ code: 2, stdout: '' })
    const changed = `services:\n  web: { script: web.mjs, port: ${port}, env: { GREETING: changed } }\n`
    writeFileSync(file, changed)
    expect(await home.run('apply', file)).toMatchObject({
      ...done,
      stdout: 'web replaced, is online\n',
    })
    expect(await ask()).toMatchObject({ greeting: 'changed' })
    writeFileSync(file, 'services:\n  web: { script: web.mjs, prot: 1 }\n')
    const wrong = await home.run('apply', file)
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toContain('prot')
  })

  it('starts with a file of variables, below those of the command line', async () => {
    const home = new ServiceHome()
    const port = String(await freePort())
    writeFileSync(join(home.path, '.env'), '# comment\nGREETING=file\nHEALTH="204"\n')
    const start = ['start', 'web', '--script', 'web.mjs', '--port', port, '--env-file', '.env']
    expect(await home.run(...start, '--env', 'GREETING=line', '--no-autorestart')).toMatchObject(
      done,
    )
    const answer = await fetch(`http://127.0.0.1:${port}/health`)
    expect(answer.status).toBe(204)
    expect(await (await fetch(`http://127.0.0.1:${port}`)).json()).toMatchObject({
      greeting: 'line',
    })
  })

  it('takes the file by a name that Node does not read as its own, and says what is wrong with it', async () => {
    const home = new ServiceHome()
    const port = String(await freePort())
    writeFileSync(join(home.path, '.env'), 'GREETING=file\nHEALTH=204\n')
    const start = ['start', 'web', '--script', 'web.mjs', '--port', port]
    const missing = await home.run(...start, '--env-from', 'missing.env')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toMatch(/missing\.env: expected lines of NAME=value\. ENOENT/)
    expect(await home.run(...start, '--env-from', '.')).toMatchObject({ code: 1, stdout: '' })
    expect(await home.run(...start, '--env-from', '.env', '--env-file', '.env')).toMatchObject({
      code: 2,
    })
    expect(await home.run(...start, '--env-from', '.env')).toMatchObject(done)
    expect(await (await fetch(`http://127.0.0.1:${port}`)).json()).toMatchObject({
      greeting: 'file',
    })
  })

  it.each(['nonsense', 'http://127.0.0.1:6379', 'redis:', 'redis://', 'redis://a:s3cret@x:port'])(
    'refuses %s as the address of Redis before it does anything, and prints no password',
    async (url) => {
      const home = new ServiceHome({ NEXUS_SERVICE_REDIS_URL: url })
      for (const command of [['start', 'idle', '--script', 'idle.mjs'], ['list'], ['save']]) {
        const { code, stdout, stderr } = await home.run(...command)
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
        expect(stderr).toContain('NEXUS_SERVICE_REDIS_URL: expected')
        expect(stderr).not.toContain('s3cret')
      }
      expect(existsSync(join(home.path, 'home'))).toBe(false)
    },
  )

  it('says on stderr what a full disk kept from being written, at a start and at a stop', async () => {
    const home = new ServiceHome()
    expect(await home.run('start', 'idle', '--script', 'idle.mjs')).toMatchObject(done)
    const state = join(home.path, 'home/services/state.json.new')
    rmSync(state, { force: true })
    symlinkSync('/dev/full', state)
    for (const command of [
      ['stop', 'idle'],
      ['start', 'idle'],
    ]) {
      const { code, stderr } = await home.run(...command)
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr:
          'warning: the daemon could not write its state: ENOSPC: no space left on device, write\n',
      })
    }
  })

  it('does not take a home that it cannot read for one without services', async () => {
    const home = new ServiceHome()
    mkdirSync(join(home.path, 'home'))
    writeFileSync(join(home.path, 'home/services'), 'no directory')
    const listed = await home.run('list')
    expect(listed).toMatchObject({ code: 1, stdout: '' })
    expect(listed.stderr).toContain('NEXUS_HOME')
  })

  it('shows the course of CPU and memory, in a pipe as lines of at most 80 columns', async () => {
    const home = new ServiceHome()
    await home.run('start', 'idle', '--script', 'idle.mjs')
    const top = await home.run('top', '--count', '2')
    expect(top).toMatchObject(done)
    expect(top.stdout.match(/CPU and memory at/g)).toHaveLength(2)
    expect(top.stdout).toMatch(/online +[\d.]+ MB [▁▂▃▄▅▆▇█]+\n/)
    expect(top.stdout).not.toContain('\u001b')
    expect(Math.max(...top.stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80)
  })

  it('prints a systemd unit, and writes nothing unless it is told to', async () => {
    const { code, stdout } = await new ServiceHome().run('startup')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ExecStart=".+" ".+" service resurrect$/m)
  })

  it('shares what was listed through Redis, and asks the daemon with --no-cache', async () => {
    const { port } = await untilTestEnds(startRedis())
    const home = new ServiceHome({ NEXUS_SERVICE_REDIS_URL: `redis://127.0.0.1:${port}` })
    expect(await home.run('start', 'idle', '--script', 'idle.mjs')).toMatchObject({ code: 0 })
    // It asks nothing of Redis, and tells it nothing.
    expect(await home.json('list', '--no-cache')).toMatchObject([{ name: 'idle' }])
    expect(await writesOf(port)).toBe(0)
    // On a machine that is very busy Redis may not answer in time, and then the command does without.
    const list = async () => {
      expect(await home.json('list')).toMatchObject([{ name: 'idle', state: 'online' }])
      return await writesOf(port)
    }
    await expect.poll(list, { timeout: 60_000 }).toBeGreaterThan(0)
    expect(await home.run('stop', 'idle')).toMatchObject({ code: 0 })
    // What changed was forgotten there.
    expect(await home.json('list')).toMatchObject([{ name: 'idle', state: 'stopped' }])
  })
})

describe('Commands whose Redis is not there', () => {
  it('do their work, and say each time that nothing is shared', async () => {
    const port = await freePort()
    const home = new ServiceHome({ NEXUS_SERVICE_REDIS_URL: `redis://:s3cret@127.0.0.1:${port}` })
    for (const command of [['start', 'idle', '--script', 'idle.mjs'], ['list'], ['stop', 'all']]) {
      const { code, stdout, stderr } = await home.run(...command)
      expect(code).toBe(0)
      expect(stdout).toContain('idle')
      expect(stderr).toMatch(/^warning: nothing is shared: NEXUS_SERVICE_REDIS_URL/)
      expect(stderr).not.toContain('s3cret')
    }
    expect(await home.run('list', '--no-cache')).toMatchObject(done)
  })
})

describe('Commands that have to be quick', () => {
  it('help and list succeed each time that they are called', async () => {
    const home = new ServiceHome()
    await home.run('start', 'idle', '--script', 'idle.mjs')
    const runs = await Promise.all([
      ...Array.from({ length: 3 }, () => nexus(['service', '--help'])),
      ...Array.from({ length: 3 }, () => home.run('list')),
    ])
    for (const { code, stderr } of runs) expect({ code, stderr }).toEqual(done)
    for (const { stdout } of runs.slice(3)) expect(stdout).toContain('idle')
  })
})
