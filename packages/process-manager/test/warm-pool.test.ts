import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunRequest, WarmPool, type WarmPoolOptions } from '@nexus/process-manager'
import { eventually } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isAlive } from './support/sandbox.js'

function warmPool(options: WarmPoolOptions) {
  const pool = new WarmPool({ refillDelayMs: 0, ...options })
  onTestFinished(() => pool.close())
  return pool
}

function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-warm-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
}

const idle = (pool: WarmPool, count: number) =>
  eventually(
    () => pool.getStats(),
    (stats) => stats.idle === count && stats.preparing === 0,
  )

/** The processes of this one's pools. */
function hosts() {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
  return children
    .split(' ')
    .filter((pid) => isAlive(Number(pid)))
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('service-host'))
}

/** What a script prints when it is run in a process of the pool. */
async function outputOf(pool: WarmPool, request: Partial<RunRequest> & { script: string }) {
  const { child, warm, run } = pool.acquire({
    args: [],
    cwd: tmpdir(),
    env: {},
    title: 'nexus: test',
    port: null,
    sharesPort: false,
    ...request,
  })
  run()
  let output = ''
  for await (const chunk of child.stdout ?? []) output += chunk
  return { output, warm, pid: child.pid as number }
}

describe('A warm pool', () => {
  it('turns a waiting process into the script, and waits with another', async () => {
    const pool = warmPool({ size: 1 })
    const file = scratch()
    const script = file(
      'what-am-i.mjs',
      `console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.A, process.title]))`,
    )
    await idle(pool, 1)
    const { output, warm } = await outputOf(pool, { script, args: ['x'], env: { A: 'b' } })
    expect(warm).toBe(true)
    expect(JSON.parse(output)).toEqual([[script, 'x'], tmpdir(), 'b', 'nexus: test'])
    await idle(pool, 1)
    expect(pool.getStats()).toMatchObject({ warmStarts: 1, coldStarts: 0 })
  })

  it('runs a script as it is now, though it changed while the process waited', async () => {
    const pool = warmPool({ size: 1 })
    const file = scratch()
    const script = file('version.mjs', 'console.log(1)')
    await idle(pool, 1)
    file('version.mjs', 'console.log(2)')
    expect(await outputOf(pool, { script })).toMatchObject({ output: '2\n', warm: true })
  })

  it('has modules loaded before, and replaces its processes when one of them changes', async () => {
    const file = scratch()
    const shared = file('shared.cjs', 'globalThis.loaded = "old"')
    const pool = warmPool({ size: 1, preload: [shared] })
    const script = file('tell.mjs', `console.log(globalThis.loaded)`)
    await idle(pool, 1)
    expect(await outputOf(pool, { script })).toMatchObject({ output: 'old\n', warm: true })
    await idle(pool, 1)
    file('shared.cjs', 'globalThis.loaded = "much newer"')
    // Nothing that is out of date is handed out; the next ones are up to date.
    expect(await outputOf(pool, { script })).toMatchObject({ output: 'undefined\n', warm: false })
    await idle(pool, 1)
    expect(await outputOf(pool, { script })).toMatchObject({ output: 'much newer\n', warm: true })
    expect(pool.getStats()).toMatchObject({ recycled: 1 })
  })

  it('forks a process where none waits, or where the environment must be there from the start', async () => {
    const pool = warmPool({ size: 1 })
    const script = scratch()('options.mjs', 'console.log(process.env.NODE_OPTIONS)')
    await idle(pool, 1)
    const env = { NODE_OPTIONS: '--no-deprecation' }
    expect(await outputOf(pool, { script, env })).toMatchObject({
      output: '--no-deprecation\n',
      warm: false,
    })
    expect(await outputOf(warmPool({ size: 0 }), { script })).toMatchObject({ warm: false })
  })

  it('lets fewer wait than it should when they would hold too much memory', async () => {
    const pool = warmPool({ size: 4, maxIdleBytes: 110 * 2 ** 20 })
    const { idle: waiting, idleBytes } = await eventually(
      () => pool.getStats(),
      (stats) => stats.idle > 0 && stats.preparing === 0,
    )
    expect(waiting).toBeGreaterThan(0)
    expect(waiting).toBeLessThan(4)
    expect(idleBytes).toBeLessThanOrEqual(110 * 2 ** 20)
  })

  it('stops trying when what it preloads is broken, and starts services all the same', async () => {
    const file = scratch()
    const pool = warmPool({ size: 1, preload: [file('broken.cjs', 'throw new Error("no good")')] })
    const stats = await eventually(
      () => pool.getStats(),
      ({ lastFailure, preparing }) => lastFailure !== null && preparing === 0,
    )
    expect(stats.lastFailure).toContain('no good')
    const script = file('fine.mjs', 'console.log("fine")')
    expect(await outputOf(pool, { script })).toMatchObject({ output: 'fine\n', warm: false })
  })

  it('waits with another when one that waited was killed', async () => {
    const pool = warmPool({ size: 1 })
    await idle(pool, 1)
    const [waiting = 0] = hosts()
    process.kill(waiting, 'SIGKILL')
    await eventually(hosts, (pids) => pids.length === 1 && pids[0] !== waiting)
    await idle(pool, 1)
    expect(pool.getStats().lastFailure).toBe('ended with SIGKILL')
  })

  it('leaves nothing when it is closed, and hands out nothing more', async () => {
    const pool = warmPool({ size: 2 })
    await idle(pool, 2)
    pool.close()
    expect(pool.getStats()).toMatchObject({ idle: 0, preparing: 0 })
    await expect(outputOf(pool, { script: '/nowhere.mjs' })).rejects.toMatchObject({
      code: 'CLOSED',
    })
  })

  it.each<[string, object]>([
    ['size', { size: -1 }],
    ['preload', { preload: ['./relative.js'] }],
    ['count', { count: 3 }],
  ])('refuses options that are wrong: %s', (name, options) => {
    expect(() => new WarmPool(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', details: { option: name } }),
    )
  })
})
