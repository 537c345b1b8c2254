import { resolve } from 'node:path'
import { ProcessManager, type ServiceDefinition } from '@nexus/process-manager'
import { freePort } from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'
import { fixture, getJson, logLines, sandbox, statusOf } from './support/sandbox.js'

// What a process manager is asked to do quickly and much of: here as behaviour, that is, how often it succeeds and how true
// its figures are. How long it takes depends on the machine, and is compared in `bench/service-pm2.mjs`; set
// NEXUS_PERFORMANCE=print to see the times of this machine. `nexus service --help` and `list` are in `apps/cli/test`.

function manage() {
  const { newEngine } = sandbox({ daemon: { warmPool: { size: 2, fillDelayMs: 0 } } })
  const manager = new ProcessManager({ engine: newEngine() })
  onTestFinished(() => manager.close())
  return manager
}

const idle: Omit<ServiceDefinition, 'name'> = { script: fixture('idle.mjs') }

/** Runs something many times at once or in turn, and counts what succeeded. */
async function successes(what: string, promises: readonly Promise<unknown>[]) {
  const begun = performance.now()
  const outcomes = await Promise.allSettled(promises)
  const ms = performance.now() - begun
  if (process.env.NEXUS_PERFORMANCE === 'print') {
    console.log(`${what}: ${ms.toFixed(1)} ms for ${promises.length}`)
  }
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}

it('starts a service', async () => {
  const manager = manage()
  expect(await successes('start', [manager.start({ name: 'one', ...idle })])).toBe(1)
  expect(await manager.status('one')).toMatchObject({ state: 'online' })
})

it('starts five services side by side, each once', async () => {
  const manager = manage()
  const names = ['a', 'b', 'c', 'd', 'e']
  const starts = names.map((name) => manager.start({ name, ...idle }))
  expect(await successes('five starts', starts)).toBe(5)
  const pids = (await manager.list()).map(({ instances }) => instances[0]?.pid)
  expect(new Set(pids).size).toBe(5)
})

it('answers a lazy start before the service has initialised', async () => {
  const manager = manage()
  const port = await freePort()
  const lazy = { name: 'lazy', script: fixture('lazy.mjs'), port, lazyInit: true }
  expect(await successes('lazy start', [manager.start(lazy)])).toBe(1)
  expect(await manager.status('lazy')).toMatchObject({ state: 'initialising' })
})

it('answers ten questions for the status in turn, and they are true', async () => {
  const manager = manage()
  const { instances } = await manager.start({ name: 'one', ...idle })
  for (let n = 0; n < 10; n++) {
    expect(await manager.status('one')).toMatchObject({
      state: 'online',
      instances: [{ pid: instances[0]?.pid }],
    })
  }
})

it('answers twenty questions for figures at once with one reading', async () => {
  const manager = manage()
  await manager.start({ name: 'one', ...idle })
  const asked = Array.from({ length: 20 }, () => manager.metrics('one'))
  expect(await successes('twenty metrics', asked)).toBe(20)
  expect(manager.getStats().cache.metrics).toMatchObject({ misses: 1, joined: 19 })
})

it('tells the memory that a process says it has', async () => {
  const { engine } = sandbox()
  await engine.start({ name: 'tells', script: fixture('tells-usage.mjs') })
  await expect
    .poll(
      async () => {
        const line = (await logLines(engine, 'tells', 1))[0]
        const own = JSON.parse(line?.text ?? '{"memoryBytes":0}') as { memoryBytes: number }
        const { instances } = await statusOf(engine, 'tells', () => true)
        return Math.abs((instances[0]?.memoryBytes ?? 0) / own.memoryBytes - 1)
      },
      { timeout: 30_000 },
    )
    .toBeLessThan(0.2)
})

it('tells the share of a core that a process uses', async () => {
  const { engine } = sandbox()
  await engine.start({ name: 'busy', script: fixture('busy.mjs') })
  await engine.start({ name: 'idle', ...idle })
  // On a busy machine it gets less than a core; one that does nothing stays far below it.
  await expect
    .poll(
      async () => {
        const [busy, other] = await engine.list()
        const shares = [busy, other].map((service) => service?.instances[0]?.cpuPercent ?? 0)
        return shares[0]! > 10 && shares[0]! <= 130 && shares[1]! < shares[0]! / 2
      },
      { timeout: 30_000 },
    )
    .toBe(true)
})

it('counts starts, and the time since the last one, exactly', async () => {
  const manager = manage()
  const before = Date.now()
  await manager.start({ name: 'one', ...idle })
  for (let n = 0; n < 3; n++) await manager.restart('one')
  const { restarts, uptimeMs } = await manager.metrics('one')
  expect(restarts).toBe(3)
  expect(uptimeMs).toBeGreaterThanOrEqual(0)
  expect(uptimeMs).toBeLessThanOrEqual(Date.now() - before)
})

it.each([100, 50])('answers a burst of %i questions', async (count) => {
  const manager = manage()
  await manager.start({ name: 'one', ...idle })
  const kinds = [
    () => manager.status('one'),
    () => manager.metrics('one'),
    () => manager.health('one', 30_000),
  ]
  const asked = Array.from({ length: count }, (_, n) => kinds[n % kinds.length]!())
  expect(await successes(`burst of ${count}`, asked)).toBe(count)
})

it('goes on answering under a load of commands and questions that does not end', async () => {
  const manager = manage()
  const port = await freePort()
  await manager.start({ name: 'web', script: fixture('http.mjs'), port })
  const rounds = Array.from({ length: 5 }, (_, n) => n)
  for (const round of rounds) {
    const asked: Promise<unknown>[] = [
      manager.start({ name: `extra-${round}`, ...idle }),
      manager.list(),
      manager.metrics('web'),
      manager.health('web', 30_000),
      getJson(port),
    ]
    expect(await successes(`round ${round}`, asked)).toBe(asked.length)
  }
  const stops = rounds.map((round) => manager.stop(`extra-${round}`))
  expect(await successes('stops', stops)).toBe(rounds.length)
  expect((await manager.list()).filter(({ state }) => state === 'online')).toHaveLength(1)
})

it('names what it cannot do under load: an unknown service is an error for each who asks', async () => {
  const manager = manage()
  await manager.start({ name: 'one', ...idle })
  const asked = Array.from({ length: 20 }, () => manager.status('none'))
  expect(await successes('unknown', asked)).toBe(0)
  await expect(
    manager.start({ name: 'missing', script: resolve('missing.mjs') }),
  ).rejects.toMatchObject({ code: 'SCRIPT_NOT_FOUND' })
})
