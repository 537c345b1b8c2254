import type { ProcessManagerError, ServiceStatus } from '@nexus/process-manager'
import { freePort } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, sandbox } from './support/sandbox.js'

/** The state that a command ended in, or the code it failed with. */
function outcome(command: Promise<ServiceStatus>): Promise<string> {
  return command.then(
    ({ state }) => state,
    ({ code }: ProcessManagerError) => code,
  )
}

/** A start that takes longer than a stop behind it has patience for is cut short, as on a machine that is very busy. */
const onlineOrHurried = expect.stringMatching(/^(online|STOPPED)$/)

describe('Commands for one service', () => {
  it('that are given at the same moment end in the state of the last', async () => {
    const { engine } = sandbox()
    const definition = { name: 'idle', script: fixture('idle.mjs') }
    await engine.daemonStats()
    const outcomes = await Promise.all([
      outcome(engine.start(definition)),
      outcome(engine.restart('idle')),
      outcome(engine.stop('idle')),
    ])
    expect(outcomes).toEqual([onlineOrHurried, onlineOrHurried, 'stopped'])
    expect((await engine.list())[0]?.state).toBe('stopped')

    await Promise.all([engine.stop('idle'), engine.start(definition), engine.restart('idle')])
    expect((await engine.list())[0]?.state).toBe('online')
  })

  it('run in the order they reach the daemon from different clients', async () => {
    const { engine, newEngine } = sandbox()
    await engine.start({ name: 'idle', script: fixture('idle.mjs') })
    const clients = Array.from({ length: 6 }, () => newEngine())
    await Promise.all(clients.map((client) => client.daemonStats()))
    const outcomes = await Promise.all(
      clients.map((client, n) =>
        outcome(n % 2 === 0 ? client.stop('idle') : client.restart('idle')),
      ),
    )
    // Each command found the service in the state that the one before it left.
    expect(outcomes).toEqual(clients.map((_, n) => (n % 2 === 0 ? 'stopped' : onlineOrHurried)))
  })

  it('do not wait behind a start that does not come up, when one of them is a stop', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const starting = engine.start({ name: 'deaf', script: fixture('idle.mjs'), port })
    const failure = expect(starting).rejects.toMatchObject({ code: 'STOPPED' })
    expect(await engine.stop('deaf')).toMatchObject({ state: 'stopped' })
    await failure
  })

  it('do not wait behind a start whose client is gone', async () => {
    const { engine, newEngine } = sandbox({ startTimeoutMs: 600_000 })
    const port = await freePort()
    const gone = newEngine()
    await gone.daemonStats()
    const starting = gone.start({ name: 'deaf', script: fixture('idle.mjs'), port })
    const failure = expect(starting).rejects.toMatchObject({ code: 'DAEMON_LOST' })
    await gone.daemonStats()
    await gone.close()
    await failure
    await expect(
      engine.start({ name: 'deaf', script: fixture('http.mjs'), port }),
    ).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
  })
})

describe('Commands for different services', () => {
  it('run at the same time', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    const waiting = engine.start({ name: 'deaf', script: fixture('idle.mjs'), port })
    const failure = expect(waiting).rejects.toMatchObject({ code: 'STOPPED' })
    expect(await engine.start({ name: 'other', script: fixture('idle.mjs') })).toMatchObject({
      state: 'online',
    })
    await engine.stop('deaf')
    await failure
  })
})
