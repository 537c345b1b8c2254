import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, isAlive, logLines, type Sandbox, sandbox, statusOf } from './support/sandbox.js'

// A state that is looked at once may change a moment later. Each test here therefore lets something pass that comes
// after the wrong change would have come, and looks again.

interface State {
  bootId: string | null
  writtenAt: number
  services: { instances: ({ pid: number; identity: string } | null)[] }[]
}

/** Ends the daemon and what runs, then changes what the next daemon reads. */
async function endAndRewrite({ engine, root, processes }: Sandbox, change: (state: State) => void) {
  const { pid } = await engine.daemonStats()
  // The daemon first: it would write down that a service ended.
  for (const each of [pid, ...processes().filter((other) => other !== pid)]) {
    process.kill(each, 'SIGKILL')
    await eventually(
      () => isAlive(each),
      (alive) => !alive,
    )
  }
  const file = join(root, 'state.json')
  const state = JSON.parse(readFileSync(file, 'utf8')) as State
  change(state)
  writeFileSync(file, JSON.stringify(state))
}

function reboot(state: State) {
  if (state.bootId === null) state.writtenAt = 0
  else state.bootId = 'another-boot'
}

async function killDaemon({ engine }: Sandbox) {
  const { pid } = await engine.daemonStats()
  process.kill(pid, 'SIGKILL')
  await eventually(
    () => isAlive(pid),
    (alive) => !alive,
  )
}

/** The child that a service says it started. */
async function childOf({ engine }: Sandbox, name: string): Promise<number> {
  const lines = await eventually(
    () => logLines(engine, name),
    (found) => found.some(({ text }) => text.startsWith('child')),
  )
  return Number(lines.find(({ text }) => text.startsWith('child'))?.text.slice(6))
}

describe('A service that was stopped while it waited for its next start', () => {
  it('stays stopped after that start would have been due', async () => {
    const { engine } = sandbox()
    const restart = { baseDelayMs: 300, maxDelayMs: 300, maxRestarts: 1_000 }
    const failing = { script: fixture('exits.mjs'), restart }
    await engine.start({ name: 'stopped', ...failing }).catch(() => {})
    await statusOf(engine, 'stopped', ({ state }) => state === 'waiting')
    await engine.stop('stopped')
    const [before] = (await engine.list()).filter(({ name }) => name === 'stopped')
    // Its wait begins later and is as long, in the same daemon.
    await engine.start({ name: 'witness', ...failing }).catch(() => {})
    await statusOf(engine, 'witness', ({ instances: [one] }) => (one?.restarts ?? 0) > 0)
    const [after] = (await engine.list()).filter(({ name }) => name === 'stopped')
    expect(after).toEqual(before)
    expect(after?.state).toBe('stopped')
  })
})

describe('After a reboot', () => {
  it('nothing starts by itself, nor when the daemon is started again', async () => {
    const box = sandbox()
    await box.engine.start({ name: 'idle', script: fixture('idle.mjs'), instances: 2 })
    await endAndRewrite(box, reboot)
    for (const round of [1, 2]) {
      const engine = box.newEngine()
      await engine.start({ name: 'witness', script: fixture('idle.mjs') })
      const states = (await engine.list()).map(({ name, state }) => `${name} ${state}`)
      expect(states, `round ${round}`).toEqual(['idle stopped', 'witness online'])
      // The daemon and the witness.
      expect(box.processes()).toHaveLength(2)
      await engine.stop('witness')
      await killDaemon(box)
    }
  })

  it.runIf(process.platform === 'linux')('a clock that jumps is no reboot', async () => {
    const box = sandbox()
    await box.engine.start({ name: 'idle', script: fixture('idle.mjs') })
    await endAndRewrite(box, (state) => {
      state.writtenAt = 0
    })
    await statusOf(box.newEngine(), 'idle', ({ state }) => state === 'online')
  })
})

describe('A process that has the pid of a service by now', () => {
  it('is neither adopted nor touched', async () => {
    const box = sandbox()
    await box.engine.start({ name: 'idle', script: fixture('idle.mjs') })
    // The stranger leads a group, as services do.
    const stranger = sandbox()
    const { instances } = await stranger.engine.start({
      name: 'stranger',
      script: fixture('idle.mjs'),
    })
    const pid = instances[0]?.pid as number
    await endAndRewrite(box, ({ services }) => {
      services[0]!.instances[0]!.pid = pid
    })
    const engine = box.newEngine()
    const restored = await statusOf(engine, 'idle', ({ state }) => state === 'online')
    // It was started, as one that had ended: nothing was adopted that ended afterwards.
    expect(restored.instances).toMatchObject([{ restarts: 0, exit: null }])
    expect(restored.instances[0]?.pid).not.toBe(pid)
    await engine.stop('idle')
    expect(await stranger.engine.list()).toMatchObject([
      { state: 'online', instances: [{ pid, restarts: 0 }] },
    ])
  })
})

describe('What a service started and left behind when it crashed', () => {
  it('is ended', async () => {
    const box = sandbox()
    const { instances } = await box.engine.start({
      name: 'crashes',
      script: fixture('crashes-with-child.mjs'),
    })
    const child = await childOf(box, 'crashes')
    expect(isAlive(child)).toBe(true)
    process.kill(instances[0]?.pid as number, 'SIGUSR2')
    await eventually(
      () => isAlive(child),
      (alive) => !alive,
    )
  })

  it('is ended after the daemon was started again, too', async () => {
    const box = sandbox()
    const { instances } = await box.engine.start({
      name: 'crashes',
      script: fixture('crashes-with-child.mjs'),
    })
    const child = await childOf(box, 'crashes')
    await killDaemon(box)
    // Its answer comes after the services were adopted; a list may come from the status file.
    await box.newEngine().daemonStats()
    expect(isAlive(child)).toBe(true)
    process.kill(instances[0]?.pid as number, 'SIGUSR2')
    await eventually(
      () => isAlive(child),
      (alive) => !alive,
    )
  })
})

describe('A restart of several instances', () => {
  it('goes on to the next instance only once the one before is up', async () => {
    const { engine, home } = sandbox()
    const gate = join(home, 'open')
    writeFileSync(gate, '')
    const definition = { name: 'two', script: fixture('gated.mjs'), args: [gate], instances: 2 }
    const before = await engine.start(definition)
    rmSync(gate)
    const restart = engine.restart('two')
    const during = await statusOf(
      engine,
      'two',
      ({ instances: [first] }) =>
        first?.state === 'starting' && first.pid !== before.instances[0]?.pid,
    )
    expect(during.instances[1]).toMatchObject({ state: 'online', pid: before.instances[1]?.pid })
    await engine.start({ name: 'witness', script: fixture('idle.mjs') })
    const [later] = await engine.list()
    expect(later?.instances[1]).toMatchObject({ state: 'online', pid: before.instances[1]?.pid })
    writeFileSync(gate, '')
    const after = await restart
    expect(after.instances).toMatchObject([{ restarts: 1 }, { restarts: 1 }])
    expect(after.instances[1]?.pid).not.toBe(before.instances[1]?.pid)
  })
})
