import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { HealthReport, ServiceLogLine, ServiceStatus } from '@nexus/process-manager'
import { freePort } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nexus } from './nexus.js'
import { ServiceHome } from './service-home.js'

const longMs = 120_000
const done = { code: 0, stderr: '' }

describe('nexus service', { timeout: longMs }, () => {
  it('starts a service that answers at once, shows it, restarts, stops and deletes it', async () => {
    const home = new ServiceHome()
    const port = await freePort()
    const script = home.script('web.mjs')
    const address = `http://127.0.0.1:${port}/`
    const started = await home.run(
      ...['start', 'web', '--script', 'web.mjs', '--port', String(port)],
      ...['--env', 'GREETING=hello=you', '--env', 'EMPTY=', '--wait', '--', '--help', '-x'],
    )
    expect(started).toMatchObject(done)
    expect(started.stdout).toMatch(new RegExp(`^web is online \\(pid \\d+, port ${port}\\)\n$`))
    const answer = await fetch(address).then((response) => response.json())
    expect(answer).toMatchObject({ greeting: 'hello=you', args: ['--help', '-x'], cwd: home.path })

    const [status] = await home.json('status', 'web')
    expect(status).toMatchObject({ name: 'web', script, port, state: 'online' })
    expect(status!.instances).toMatchObject([{ index: 0, pid: answer.pid, restarts: 0 }])
    for (const command of ['list', 'status', 'metrics', 'health'] as const) {
      const { code, stdout, stderr } = await home.run(command)
      expect({ code, stderr }).toEqual(done)
      expect(stdout).toMatch(/^NAME .*\nweb /)
    }
    const listings = await Promise.all(
      ['list', 'status', 'metrics'].map((command) => home.run(command, '--json')),
    )
    for (const { stdout } of listings) expect(stdout).not.toContain('hello=you')

    expect(await home.run('restart', 'web')).toMatchObject({ ...done, stdout: 'web is online\n' })
    const again = await fetch(address).then((response) => response.json())
    expect(again.pid).not.toBe(answer.pid)
    expect(again.greeting).toBe('hello=you')
    expect((await home.json('status', 'web'))[0]!.instances[0]!.restarts).toBe(1)

    expect(await home.run('stop', 'web')).toMatchObject({ ...done, stdout: 'web is stopped\n' })
    expect(await home.run('status', 'web')).toMatchObject({ code: 3, stderr: '' })
    await expect(fetch(address)).rejects.toThrow()
    // A known one needs no definition.
    expect(await home.run('start', 'web')).toMatchObject(done)
    expect((await fetch(address)).status).toBe(200)
    expect(await home.run('delete', 'web')).toMatchObject({ ...done, stdout: 'web is deleted\n' })
    expect(await home.run('list')).toMatchObject({
      ...done,
      stdout: expect.stringMatching(/^No s/),
    })
    expect(await home.json('list')).toEqual([])
  })

  it('says in figures with one unit each what a service uses', async () => {
    const home = new ServiceHome()
    await home.run('start', 'idle', '--script', 'idle.mjs', '--instances', '2')
    type Row = { name: string; memoryMb: number; memoryBytes: number; uptimeSeconds: number }
    const rows = () => home.json<Row[]>('metrics', 'idle')
    await expect.poll(async () => (await rows())[0]!.memoryMb).toBeGreaterThan(1)
    const [row] = await rows()
    expect(row).toMatchObject({ name: 'idle', cpuPercent: expect.any(Number), restarts: 0 })
    expect(row!.memoryMb).toBeCloseTo(row!.memoryBytes / 2 ** 20, 0)
    const { stdout } = await home.run('metrics')
    expect(stdout).toMatch(
      /^NAME +CPU % +MEMORY MB +UPTIME S +RESTARTS\nidle +[\d.]+ +[\d.]+ +\d+ +0\n$/,
    )
  })

  it('fits its tables in 80 columns, plain in a pipe, whatever the names', async () => {
    const home = new ServiceHome()
    const long = `a${'-very'.repeat(12)}-long`.slice(0, 64)
    await home.run('start', long, '--script', 'idle.mjs')
    for (const command of ['list', 'status', 'metrics', 'health']) {
      const { stdout } = await home.run(command)
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
      expect(stdout).toContain('a-very')
      expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    }
    expect((await home.json('list'))[0]!.name).toBe(long)
  })

  it('takes several names and all; one that is missing does not keep the others waiting', async () => {
    const home = new ServiceHome()
    for (const name of ['a', 'b', 'c']) await home.run('start', name, '--script', 'idle.mjs')
    const some = await home.run('stop', 'a', 'nobody', 'b')
    expect(some).toMatchObject({ code: 4, stdout: 'a is stopped\nb is stopped\n' })
    expect(some.stderr).toBe('There is no service "nobody"; see: nexus service list\n')
    const states = async () => (await home.json('list')).map(({ state }) => state)
    expect(await states()).toEqual(['stopped', 'stopped', 'online'])
    expect(await home.run('start', 'all')).toMatchObject(done)
    expect(await states()).toEqual(['online', 'online', 'online'])
    expect(await home.run('status', 'nobody')).toMatchObject({ code: 4, stdout: '' })
    expect(await home.run('logs', 'nobody')).toMatchObject({ code: 4, stdout: '' })
    expect(await home.run('restart', 'nobody')).toMatchObject({ code: 4, stdout: '' })
    expect(await home.run('delete', 'all')).toMatchObject(done)
    expect(await states()).toEqual([])
  })

  it('checks health, with an exit code', async () => {
    const home = new ServiceHome()
    const port = String(await freePort())
    const url = `http://127.0.0.1:${port}/health`
    const start = ['start', 'web', '--script', 'web.mjs', '--port', port, '--health', url]
    expect(await home.run(...start, '--wait')).toMatchObject(done)
    expect(await home.run('health')).toMatchObject(done)
    expect(await home.json<HealthReport[]>('health', 'web')).toMatchObject([{ healthy: true }])
    await home.run('stop', 'web')
    expect(await home.run('health', 'web', '--timeout', '1')).toMatchObject({ code: 3 })
  })

  it('answers a lazy start once work is accepted, and waits for the rest when told to', async () => {
    const home = new ServiceHome()
    const go = join(home.path, 'go')
    const start = ['start', 'lazy', '--script', 'lazy.mjs', '--lazy-init', '--env', `GO=${go}`]
    const started = await home.run(...start)
    expect(started).toMatchObject(done)
    expect(started.stdout).toMatch(/^lazy is initialising/)
    expect(await home.run('status', 'lazy')).toMatchObject(done)
    const late = await home.run(...start, '--wait', '--timeout', '1')
    expect(late).toMatchObject({ code: 1, stdout: '' })
    expect(late.stderr).toContain('did not become healthy within 1 s: it is initialising')
    const waiting = home.run(...start, '--wait')
    writeFileSync(go, '')
    expect(await waiting).toMatchObject({
      ...done,
      stdout: expect.stringMatching(/^lazy is online/),
    })
  })

  it('says why a service does not start', async () => {
    const home = new ServiceHome()
    const missing = await home.run('start', 'x', '--script', 'missing.mjs')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toContain('missing.mjs')
    const throws = await home.run('start', 'x', '--script', 'throws.mjs')
    expect(throws).toMatchObject({ code: 1, stdout: '' })
    expect(throws.stderr).toContain('no config')
    expect(throws.stderr).not.toMatch(/\n {4}at /)

    const other = createServer()
    const port = await new Promise<number>((listening) => {
      other.listen(0, '127.0.0.1', () => listening((other.address() as { port: number }).port))
    })
    onTestFinished(() => void other.close())
    const taken = await home.run('start', 'y', '--script', 'web.mjs', '--port', String(port))
    expect(taken).toMatchObject({ code: 1, stdout: '' })
    expect(taken.stderr).toContain(String(port))
  })

  it('refuses what makes no sense, before it starts anything', async () => {
    const home = new ServiceHome()
    const script = ['--script', 'idle.mjs']
    const wrong: [string[], RegExp][] = [
      [['start', ...script], /name of a service/],
      [['start', 'x', 'y', ...script], /--script is for one service/],
      [['start', 'all', ...script], /"all" means every service/],
      [['start', 'x', '--port', '80'], /--port is for a new service/],
      [['start', 'x', '--', 'y'], /needs --script/],
      [['start', 'x', ...script, '--port', '0'], /--port: expected a whole number from 1 to 65535/],
      [['start', 'x', ...script, '--port', '65536'], /--port/],
      [['start', 'x', ...script, '--instances', '0'], /--instances/],
      [['start', 'x', ...script, '--max-memory', '5X'], /--max-memory: .* such as 512M/],
      [['start', 'x', ...script, '--max-memory', '0'], /--max-memory/],
      [['start', 'x', ...script, '--max-cpu', 'half'], /--max-cpu/],
      [['start', 'x', ...script, '--health', 'ftp://x'], /--health: expected an http/],
      [['start', 'x', ...script, '--env', 'NOVALUE'], /--env: expected NAME=VALUE/],
      [['start', 'x', ...script, '--env', '=x'], /--env/],
      [['start', 'x', ...script, '--wait', '--timeout', '0'], /--timeout/],
      [['start', 'x', ...script, '--engine', 'systemd'], /--engine: expected native or pm2/],
      [['start', 'x', ...script, '--nice'], /--nice/],
      [['stop'], /names of services, or all/],
      [['logs'], /names of services, or all/],
      [['logs', 'x', '--filter', '('], /--filter/],
      [['logs', 'x', '--lines', '-1'], /--lines/],
      [['list', 'x'], /unexpected argument "x"/],
      [['constructor'], /unknown command "service constructor"/],
    ]
    const names = ['../up', 'a b', '', 'a/b', '.a', 'é', 'a\u001b[2J', 'x'.repeat(65)]
    for (const name of names) wrong.push([['start', name, ...script], /expected the name/])
    await inTurns(wrong, 4, async ([args, message]) => {
      const { code, stdout, stderr } = await home.run(...args)
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' })
      expect(stderr).toMatch(message)
      expect(stderr).toContain('See: nexus service --help')
      expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    })
    expect(await home.json('list')).toEqual([])
  })

  it('shows its help without asking the daemon', async () => {
    const helps = [['--help'], [], ['help'], ['start', '-h'], ['stop', 'x', '--help']]
    const outcomes = await Promise.all(helps.map((args) => nexus(['service', ...args])))
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject(done)
      expect(outcome.stdout).toContain('Usage: nexus service <command>')
    }
    for (const line of outcomes[0]!.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(88)
  })
})

describe('nexus service --engine pm2', { timeout: longMs }, () => {
  it('does the same for services of a PM2 daemon', async () => {
    const home = new ServiceHome()
    const port = String(await freePort())
    const pm2 = (command: string, ...args: string[]) =>
      home.run(command, ...args, '--engine', 'pm2')
    const started = await pm2('start', 'web', '--script', 'web.mjs', '--port', port, '--wait')
    expect(started).toMatchObject(done)
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
    for (const command of ['list', 'status', 'metrics', 'health'] as const) {
      const { code, stdout, stderr } = await pm2(command)
      expect({ code, stderr }).toEqual(done)
      expect(stdout).toMatch(/^NAME .*\nweb /)
    }
    const begins = async () => (await pm2('logs', 'web')).stdout
    await expect.poll(begins).toContain('web#0 web begins')
    expect(await pm2('stop', 'nobody', 'web')).toMatchObject({
      code: 4,
      stdout: 'web is stopped\n',
    })
    expect(await pm2('delete', 'web')).toMatchObject(done)
    // The other engine knows nothing of it.
    expect(await home.json('list')).toEqual([])
  })
})

describe('nexus service logs', { timeout: longMs }, () => {
  it('shows the last lines, of these those that match, and goes on with what comes', async () => {
    const home = new ServiceHome()
    await home.run('start', 'talks', '--script', 'talks.mjs')
    const text = async (...args: string[]) => (await home.run('logs', 'talks', ...args)).stdout
    await expect.poll(() => text('--lines', '1000')).toContain('line 25')
    expect(await text('--lines', '1000')).toMatch(/^\S+Z talks#0 line 0\n\S+Z talks#0 line 1\n/)
    expect((await text('--lines', '3')).trim().split('\n')).toHaveLength(3)
    expect(await text('--lines', '0')).toBe('')
    expect(await text('--lines', '1000', '--filter', 'line 1\\d$')).toMatch(
      /^(\S+ talks#0 line 1\d\n){10}$/,
    )
    // What a service writes does not control a terminal.
    expect(await text('--lines', '1000', '--filter', 'colour')).toContain('bad \\u001b[31mcolour')
    const { stdout } = await home.run(
      'logs',
      'talks',
      '--lines',
      '1000',
      '--filter',
      'bad',
      '--json',
    )
    expect(JSON.parse(stdout) as ServiceLogLine).toMatchObject({
      name: 'talks',
      instance: 0,
      stream: 'stderr',
      text: 'bad \u001b[31mcolour',
    })

    const following = home.launch('logs', 'talks', '-f', '--lines', '1')
    await expect.poll(() => following.stdout().split('\n').length).toBeGreaterThan(10)
    expect(await following.stop('SIGINT')).toBe(0)
    const numbers = [...following.stdout().matchAll(/line (\d+)\n/g)].map(([, n]) => Number(n))
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i))
  })
})

describe('nexus service in trouble', { timeout: longMs }, () => {
  it('leaves nothing half done when it is killed in mid-command', async () => {
    const home = new ServiceHome()
    await home.run('start', 'idle', '--script', 'idle.mjs')
    const port = String(await freePort())
    const killed = home.launch('start', 'deaf', '--script', 'deaf.mjs', '--port', port)
    const state = async () =>
      (await home.json('list')).find(({ name }) => name === 'deaf')?.state ?? null
    await expect.poll(state).toBe('starting')
    expect(await killed.stop('SIGKILL')).toBe(null)
    // No command waits for it any more, and nothing waits for the one that did.
    expect(await home.run('stop', 'deaf')).toMatchObject({ ...done, stdout: 'deaf is stopped\n' })
    expect(await home.run('restart', 'idle')).toMatchObject(done)
    expect(await home.run('delete', 'deaf')).toMatchObject(done)
  })

  it('ends in one state when start, restart and stop come at the same moment', async () => {
    const home = new ServiceHome()
    const start = ['start', 'idle', '--script', 'idle.mjs']
    await home.run(...start)
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.all([
        home.run(...start),
        home.run('restart', 'idle'),
        home.run('stop', 'idle'),
      ])
      // On a busy machine the stop may overtake a start that has not come up yet, which then says so.
      for (const { code, stderr } of outcomes) {
        expect(code === 0 ? stderr : /stop/i.test(stderr)).toBe(code === 0 ? '' : true)
      }
      const [status] = await home.json('list')
      const pids = status!.instances.map(({ pid }) => pid !== null)
      expect([status!.state, pids]).toEqual(
        status!.state === 'stopped' ? ['stopped', [false]] : ['online', [true]],
      )
    }
    expect(await home.run('stop', 'idle')).toMatchObject(done)
    expect((await home.json('list'))[0]!.state).toBe('stopped')
  })

  it('answers every one of many commands at once', async () => {
    const home = new ServiceHome()
    await home.run('start', 'idle', '--script', 'idle.mjs')
    const commands = Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? 'health' : 'status'))
    const outcomes = await Promise.all(commands.map((command) => home.run(command, 'idle')))
    for (const outcome of outcomes) expect(outcome).toMatchObject(done)
  })

  it('goes on with a new daemon when the old one was killed', async () => {
    const home = new ServiceHome()
    const port = await freePort()
    await home.run('start', 'web', '--script', 'web.mjs', '--port', String(port))
    await home.run('start', 'idle', '--script', 'idle.mjs')
    expect(await home.run('save')).toMatchObject({
      ...done,
      stdout: expect.stringContaining('2 services'),
    })
    await home.run('stop', 'idle')
    const pid = (await home.json('status', 'web'))[0]!.instances[0]!.pid
    home.signalDaemon('SIGKILL')
    const [web] = await home.json('status', 'web')
    expect(web).toMatchObject({ state: 'online', instances: [{ pid }] })
    expect(await home.run('resurrect')).toMatchObject({ ...done, stdout: 'Started idle\n' })
    expect(await home.run('resurrect')).toMatchObject({ ...done, stdout: 'Nothing to start\n' })
    expect((await home.json('list')).map(({ state }) => state)).toEqual(['online', 'online'])
  })

  it('says what to do about a daemon that is stopped, and still shows what it last knew', async () => {
    const home = new ServiceHome()
    await home.run('start', 'idle', '--script', 'idle.mjs')
    home.signalDaemon('SIGSTOP')
    expect(await home.json<ServiceStatus[]>('list')).toMatchObject([
      { name: 'idle', state: 'online' },
    ])
    const failed = await home.run('restart', 'idle')
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr).toMatch(/kill -CONT \d+/)
    home.signalDaemon('SIGCONT')
    expect(await home.run('restart', 'idle')).toMatchObject(done)
  })
})

async function inTurns<T>(
  items: readonly T[],
  parallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: parallel }, lane))
}
