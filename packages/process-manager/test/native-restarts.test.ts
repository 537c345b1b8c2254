import { freePort } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, getJson, sandbox, statusOf } from './support/sandbox.js'

describe('A service that ends by itself', () => {
  it('is started again', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    await engine.start({ name: 'web', script: fixture('http.mjs'), port })
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {})
    const { instances } = await statusOf(
      engine,
      'web',
      ({ state, instances }) => state === 'online' && instances[0]?.restarts === 1,
    )
    expect(instances[0]).toMatchObject({ exit: { code: 7, signal: null } })
    expect(await getJson(port)).toMatchObject({ pid: instances[0]?.pid })
  })

  it('is given up when it ends early too often, and says why', async () => {
    const { engine } = sandbox()
    const restart = { maxRestarts: 3, baseDelayMs: 1, maxDelayMs: 5 }
    await engine
      .start({ name: 'loop', script: fixture('exits.mjs'), args: ['3'], restart })
      .catch(() => {})
    expect(await statusOf(engine, 'loop', ({ state }) => state === 'errored')).toMatchObject({
      instances: [
        {
          pid: null,
          restarts: 3,
          exit: { code: 3 },
          reason: 'ended with code 3: Error: nothing to do',
        },
      ],
    })
    // Mended, it may be started with another definition at once.
    expect(await engine.start({ name: 'loop', script: fixture('idle.mjs') })).toMatchObject({
      state: 'online',
    })
  })

  it('stays down where it is not to be started again, with the reason why it ended', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const definition = {
      script: fixture('http.mjs'),
      autoRestart: false,
      restart: { baseDelayMs: 1 },
    }
    await engine.start({ name: 'once', port, ...definition })
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {})
    const ended = await statusOf(engine, 'once', ({ state }) => state === 'errored')
    expect(ended.instances).toMatchObject([{ restarts: 0, exit: { code: 7 } }])
    await engine
      .start({ name: 'done', script: fixture('exits.mjs'), autoRestart: false })
      .catch(() => {})
    // With code 0, it has done what it was to do. Its start failed later than the other one ended, and both stay.
    expect(await engine.list()).toMatchObject([
      { name: 'once', state: 'errored' },
      { name: 'done', state: 'stopped', instances: [{ restarts: 0 }] },
    ])
  })

  it('is never given up for ends that are not early, however many there are', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const restart = { maxRestarts: 1, minUptimeMs: 0, baseDelayMs: 1 }
    await engine.start({ name: 'web', script: fixture('http.mjs'), port, restart })
    for (let crashes = 1; crashes <= 4; crashes++) {
      await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {})
      await statusOf(
        engine,
        'web',
        ({ state, instances }) => state === 'online' && instances[0]?.restarts === crashes,
      )
    }
  })
})

describe('A service that fails its health check', () => {
  it('is restarted after the given number of failures, over HTTP', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    await engine.start({
      name: 'web',
      script: fixture('http.mjs'),
      port,
      health: {
        url: `http://127.0.0.1:${port}/health`,
        intervalMs: 50,
        timeoutMs: 10_000,
        failures: 2,
      },
    })
    await fetch(`http://127.0.0.1:${port}/ill`)
    await statusOf(
      engine,
      'web',
      ({ state, instances }) => state === 'online' && (instances[0]?.restarts ?? 0) >= 1,
    )
  })

  it('is restarted when it no longer answers over IPC', async () => {
    const { engine } = sandbox()
    const { instances } = await engine.start({
      name: 'ipc',
      script: fixture('ipc.mjs'),
      health: { ipc: true, intervalMs: 50, timeoutMs: 3_000, failures: 1 },
    })
    process.kill(instances[0]?.pid as number, 'SIGUSR2')
    await statusOf(
      engine,
      'ipc',
      ({ state, instances: [now] }) => state === 'online' && (now?.restarts ?? 0) >= 1,
    )
  })

  it('is checked over IPC without a listener of its own: its event loop answers', async () => {
    const { engine } = sandbox()
    await engine.start({ name: 'idle', script: fixture('idle.mjs'), health: { ipc: true } })
    expect(await engine.health('idle', 20_000)).toMatchObject({ healthy: true })
  })
})

describe('A service above its memory limit', () => {
  it('is restarted', async () => {
    const { engine } = sandbox()
    await engine.start({
      name: 'hungry',
      script: fixture('eats-memory.mjs'),
      maxMemoryBytes: 150 * 2 ** 20,
    })
    await statusOf(engine, 'hungry', ({ instances }) => (instances[0]?.restarts ?? 0) >= 1)
  })
})
