import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ConnectionPool, type ConnectionPoolOptions } from '@nexus/process-manager'
import { type BundledWorker, bundleWorker, untilTestEnds } from '@nexus/test-kit'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Pm2Home } from './pm2-home.js'

/** Short where a test waits for it to pass, and never a limit that a busy machine could miss. */
const shortMs = 300
const longMs = 30_000
const patient = { connectTimeoutMs: longMs, callTimeoutMs: longMs, daemonStartTimeoutMs: longMs }
const pm2Worker = join(import.meta.dirname, 'pm2-worker.ts')

describe('ConnectionPool on a daemon that runs', () => {
  let home: Pm2Home
  beforeAll(async () => {
    home = new Pm2Home()
    const starter = new ConnectionPool({ home: home.path, ...patient })
    await starter.connect()
    await starter.close()
  })
  afterAll(() => home.remove())

  function openPool(options: ConnectionPoolOptions = {}): ConnectionPool {
    return closedLater(new ConnectionPool({ home: home.path, ...patient, ...options }))
  }

  it('lets calls that are issued together share one connection', async () => {
    const pool = openPool()
    expect(pool.isConnected()).toBe(false)
    const calls = Array.from({ length: 100 }, () => pool.call('ping', [{}]))
    expect(pool.getStats()).toMatchObject({ connecting: true, pending: 100 })
    for (const answer of await Promise.all(calls)) expect(answer).toEqual({ msg: 'pong' })
    expect(pool.isConnected()).toBe(true)
    expect(pool.getStats()).toMatchObject({
      calls: 100,
      failed: 0,
      connections: 1,
      pending: 0,
      limits: { home: home.path, idleTimeoutMs: 60_000 },
    })
  })

  it('answers two connects in one process', async () => {
    const pool = openPool()
    await Promise.all([pool.connect(), pool.connect()])
    await Promise.all([openPool().connect(), openPool().connect()])
    expect(pool.getStats().connections).toBe(1)
  })

  it('closes an idle connection, and connects again for the next call', async () => {
    const pool = openPool({ idleTimeoutMs: 20 })
    await pool.call('ping', [{}])
    await expect.poll(() => pool.isConnected(), { timeout: longMs }).toBe(false)
    expect(pool.getStats()).toMatchObject({ idled: 1, lost: 0 })
    expect(await pool.call('ping', [{}])).toEqual({ msg: 'pong' })
    expect(pool.getStats().connections).toBe(2)
  })

  it('says what the daemon refuses', async () => {
    const failure = openPool().call('noSuchMethod', [{}])
    await expect(failure).rejects.toMatchObject({ code: 'DAEMON_REFUSED' })
    await expect(failure).rejects.toThrow(/refused noSuchMethod: .*does not exist/)
  })

  it('leaks no socket, neither here nor in the daemon', async () => {
    const [daemon] = home.daemons()
    const pipes = () => process.getActiveResourcesInfo().filter((name) => name.includes('Pipe'))
    const files = () => readdirSync(`/proc/${daemon}/fd`).length
    const before = { pipes: pipes().length, files: process.platform === 'linux' ? files() : 0 }
    const pool = openPool()
    for (let i = 0; i < 50; i++) {
      await pool.connect()
      await pool.disconnect()
    }
    await expect.poll(() => pipes().length, { timeout: longMs }).toBeLessThanOrEqual(before.pipes)
    if (process.platform === 'linux') {
      await expect.poll(files, { timeout: longMs }).toBeLessThanOrEqual(before.files)
    }
  })

  it('lets calls under way settle before it disconnects, and can be used again', async () => {
    const pool = openPool()
    const call = pool.call('ping', [{}])
    await pool.disconnect()
    expect(pool.isConnected()).toBe(false)
    expect(await call).toEqual({ msg: 'pong' })
    expect(await pool.call('ping', [{}])).toEqual({ msg: 'pong' })
  })

  it('refuses calls after close', async () => {
    const pool = openPool()
    await pool.connect()
    await pool.close()
    await expect(pool.call('ping', [{}])).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(pool.connect()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('lets a process end that has not closed it', async () => {
    const worker = await untilTestEnds(bundleWorker(pm2Worker))
    expect(await runWorker(worker, home)).toMatchObject({ services: 0, stats: { connections: 1 } })
  })

  it('refuses options that make no sense', () => {
    expect(() => new ConnectionPool({ idleTimeoutMs: 0 })).toThrow(/idleTimeoutMs/)
    const unknown = { timeout: 1 }
    expect(() => new ConnectionPool(unknown as ConnectionPoolOptions)).toThrow(/timeout/)
  })
})

describe('ConnectionPool on a daemon in trouble', () => {
  let home: Pm2Home
  beforeEach(() => {
    home = new Pm2Home()
    onTestFinished(() => home.remove())
  })

  it('says that no daemon runs where it must not start one', async () => {
    const pool = closedLater(new ConnectionPool({ home: home.path, startDaemon: false }))
    await expect(pool.connect()).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' })
    expect(home.daemons()).toEqual([])
  })

  it('leaves one daemon behind when four processes connect cold', async () => {
    const worker = await untilTestEnds(bundleWorker(pm2Worker))
    const answers = await Promise.all(Array.from({ length: 4 }, () => runWorker(worker, home)))
    for (const answer of answers) expect(answer).toMatchObject({ services: 0 })
    expect(home.daemons()).toHaveLength(1)
    const started = answers.map(({ stats }) => stats.daemonsStarted)
    expect(started.reduce((sum, n) => sum + n, 0)).toBe(1)
  })

  it('rejects the calls under way when the daemon is killed, and starts another for the next', async () => {
    const pool = closedLater(new ConnectionPool({ home: home.path, ...patient }))
    await pool.connect()
    home.signal('SIGSTOP')
    const calls = Promise.allSettled([pool.call('ping', [{}]), pool.call('ping', [{}])])
    // Both are sent in this turn: the connection is there.
    await new Promise(setImmediate)
    home.signal('SIGKILL')
    for (const call of await calls) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'DAEMON_LOST' } })
    }
    await expect.poll(() => home.daemons(), { timeout: longMs }).toEqual([])
    expect(await pool.call('getMonitorData', [{}])).toEqual([])
    expect(pool.getStats()).toMatchObject({ lost: 1, daemonsStarted: 2, connections: 2, failed: 2 })
  })

  it('sends a call that changes nothing once more when its connection is lost', async () => {
    const pool = closedLater(new ConnectionPool({ home: home.path, ...patient }))
    await pool.connect()
    home.signal('SIGSTOP')
    const call = pool.call('getMonitorData', [{}], { readOnly: true })
    await new Promise(setImmediate)
    home.signal('SIGKILL')
    expect(await call).toEqual([])
  })

  it('rejects in time while the daemon is stopped, and works when it goes on', async () => {
    const starter = closedLater(new ConnectionPool({ home: home.path, ...patient }))
    await starter.connect()
    const pool = closedLater(new ConnectionPool({ home: home.path, connectTimeoutMs: shortMs }))
    await expect
      .poll(
        () =>
          pool.connect().then(
            () => true,
            () => false,
          ),
        { timeout: longMs },
      )
      .toBe(true)
    home.signal('SIGSTOP')
    const failures = await Promise.allSettled([
      pool.call('ping', [{}], { timeoutMs: shortMs }),
      pool.call('ping', [{}], { timeoutMs: shortMs }),
    ])
    for (const failure of failures) {
      expect(failure).toMatchObject({ status: 'rejected', reason: { code: 'TIMEOUT' } })
    }
    await expect(pool.call('ping', [{}])).rejects.toMatchObject({ code: 'DAEMON_UNRESPONSIVE' })
    expect(pool.isConnected()).toBe(false)
    expect(home.daemons()).toHaveLength(1)

    home.signal('SIGCONT')
    const answer = () => pool.call('ping', [{}]).catch((error) => error.code)
    await expect.poll(answer, { timeout: longMs }).toEqual({ msg: 'pong' })
    expect(home.daemons()).toHaveLength(1)
    // Only the call that timed out first gave the connection up.
    expect(pool.getStats()).toMatchObject({ timedOut: 2, lost: 1, daemonsStarted: 0 })
  })
})

function closedLater(pool: ConnectionPool): ConnectionPool {
  onTestFinished(() => pool.close())
  return pool
}

async function runWorker(worker: BundledWorker, home: Pm2Home) {
  const child = spawn(process.execPath, [worker.workerFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, WORKER_PM2_HOME: home.path },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const output = await text(child.stdout)
  expect(await exited).toEqual([0, null])
  return JSON.parse(output) as { services: number; stats: ReturnType<ConnectionPool['getStats']> }
}
