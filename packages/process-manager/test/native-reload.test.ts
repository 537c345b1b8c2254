import { rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { eventually, freePort } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fixture, isAlive, sandbox } from './support/sandbox.js'

/** Clients that ask all the time: some on connections that they keep, some on a new one each time. */
function askAllTheTime(port: number) {
  const answered = new Map<string, number>()
  const failures: string[] = []
  let asking = true
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: false })]
  const ask = (agent: Agent) =>
    new Promise<void>((done) => {
      get({ port, host: '127.0.0.1', agent }, async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        answered.set(text, (answered.get(text) ?? 0) + 1)
        done()
      }).on('error', (error) => {
        failures.push(error.message)
        done()
      })
    })
  const clients = [0, 1, 0, 1].map(async (kind) => {
    while (asking) await ask(agents[kind]!)
  })
  const end = async () => {
    asking = false
    await Promise.all(clients)
    for (const agent of agents) agent.destroy()
  }
  onTestFinished(end)
  return { answered, failures, end }
}

describe('A reload', () => {
  it.each([1, 2])(
    'of %i instances loses no request, and ends the processes before',
    async (instances) => {
      const { engine, processes } = sandbox()
      const port = await freePort()
      const script = fixture('keep-alive.mjs')
      const before = await engine.start({ name: 'web', script, port, instances })
      const clients = askAllTheTime(port)
      await eventually(
        () => clients.answered.size,
        (size) => size === instances,
      )
      const pids = new Set(before.instances.map(({ pid }) => pid))
      for (const round of [1, 2]) {
        const after = await engine.reload('web')
        expect(after.state).toBe('online')
        expect(after.instances.map(({ restarts }) => restarts)).toEqual(
          Array(instances).fill(round),
        )
        for (const { pid } of after.instances) expect(pids.has(pid)).toBe(false)
        for (const { pid } of after.instances) pids.add(pid)
        const newest = String(after.instances[0]?.pid)
        await eventually(
          () => clients.answered.get(newest) ?? 0,
          (count) => count > 20,
        )
      }
      await clients.end()
      expect(clients.failures).toEqual([])
      // The daemon and the instances.
      expect(processes()).toHaveLength(1 + instances)
    },
  )

  it('whose new process does not come up leaves the old one as it is', async () => {
    const { engine, home, processes } = sandbox()
    const port = await freePort()
    const broken = join(home, 'broken')
    const definition = { name: 'web', script: fixture('breaks-later.mjs'), args: [broken], port }
    const before = await engine.start(definition)
    writeFileSync(broken, '')
    await expect(engine.reload('web')).rejects.toMatchObject({
      code: 'START_FAILED',
      details: { reason: expect.stringContaining('broken by an update') },
    })
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe(
      String(before.instances[0]?.pid),
    )
    expect(await engine.list()).toMatchObject([{ state: 'online' }])
    expect(processes()).toHaveLength(2)
  })

  it('of a service whose port another program listens on says that it cannot', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    await engine.start({ name: 'script', script: fixture('starts-server.mjs'), port })
    await expect(engine.reload('script')).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('child')
  })

  it('that a killed daemon has begun leaves no process twice', async () => {
    const { engine, newEngine, home, processes } = sandbox()
    const gate = join(home, 'open')
    writeFileSync(gate, '')
    const port = await freePort()
    const definition = { name: 'web', script: fixture('gated-server.mjs'), args: [gate], port }
    const before = await engine.start(definition)
    rmSync(gate)
    const reload = engine.reload('web').catch((error) => error.code)
    await eventually(processes, ({ length }) => length === 3)
    const { pid } = await engine.daemonStats()
    process.kill(pid, 'SIGKILL')
    expect(await reload).toBe('DAEMON_LOST')
    await newEngine().daemonStats()
    await eventually(processes, ({ length }) => length === 2)
    expect(isAlive(before.instances[0]?.pid as number)).toBe(true)
  })
})

describe('A change of the number of instances', () => {
  it('leaves those that stay alone, and loses no request', async () => {
    const { engine, newEngine, processes } = sandbox()
    const port = await freePort()
    const script = fixture('keep-alive.mjs')
    const [first] = (await engine.start({ name: 'web', script, port })).instances
    const clients = askAllTheTime(port)
    await eventually(
      () => clients.answered.size,
      (size) => size === 1,
    )
    const three = await engine.scale('web', 3)
    expect(three.instances.map(({ state }) => state)).toEqual(['online', 'online', 'online'])
    expect(three.instances[0]).toMatchObject({ pid: first?.pid, restarts: 0 })
    await eventually(
      () => clients.answered.size,
      (size) => size === 3,
    )
    expect((await engine.scale('web', 1)).instances).toMatchObject([{ pid: first?.pid }])
    await clients.end()
    expect(clients.failures).toEqual([])
    expect(processes()).toHaveLength(2)
    // It is kept, over a stop and for the next daemon.
    await engine.scale('web', 2)
    await engine.stop('web')
    process.kill((await engine.daemonStats()).pid, 'SIGKILL')
    await eventually(processes, ({ length }) => length === 0)
    expect((await newEngine().restart('web')).instances).toHaveLength(2)
  })
})
