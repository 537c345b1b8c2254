import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandLock, ProcessManagerError } from '@nexus/process-manager'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { LockProcesses } from './lock-processes.js'

describe('CommandLock', () => {
  it('answers what the command answers, and throws what it throws', async () => {
    const lock = new CommandLock({ directory: scratch() })
    expect(await lock.withLock('web', () => 42)).toBe(42)
    const failed = lock.withLock('web', () => Promise.reject(new Error('no')))
    await expect(failed).rejects.toThrow('no')
    expect(await lock.withLock('web', async () => 'again')).toBe('again')
    expect(lock.getStats()).toMatchObject({ held: 0, waiting: 0, acquired: 3, timedOut: 0 })
  })

  it('runs commands for one name in the order in which they were issued, one at a time', async () => {
    const lock = new CommandLock({ directory: scratch() })
    const seen: string[] = []
    const commands = Array.from({ length: 20 }, (_, i) =>
      lock.withLock('web', async () => {
        seen.push(`+${i}`)
        await new Promise(setImmediate)
        seen.push(`-${i}`)
      }),
    )
    await Promise.all(commands)
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => [`+${i}`, `-${i}`]).flat())
  })

  it('runs commands for different names side by side', async () => {
    const lock = new CommandLock({ directory: scratch() })
    const { promise: met, resolve: meet } = gate()
    await Promise.all([lock.withLock('a', () => met), lock.withLock('b', meet)])
  })

  it('keeps two of its kind in one process apart', async () => {
    const directory = scratch()
    const [one, two] = [new CommandLock({ directory }), new CommandLock({ directory })]
    await one.withLock('web', async () => {
      await expect(two.withLock('web', () => 1, { timeoutMs: 0 })).rejects.toMatchObject({
        code: 'LOCK_TIMEOUT',
      })
    })
    expect(await two.withLock('web', () => 1, { timeoutMs: 0 })).toBe(1)
  })

  it('gives a place in the queue up at a timeout, and keeps the order of the others', async () => {
    const lock = new CommandLock({ directory: scratch() })
    const { promise: done, resolve: finish } = gate()
    const first = lock.withLock('web', () => done)
    const second = lock.withLock('web', () => 'second', { timeoutMs: 5 })
    const third = lock.withLock('web', () => 'third')
    await expect(second).rejects.toThrow(/"web".*within 5 ms, but this process has held it since/)
    finish()
    await first
    expect(await third).toBe('third')
    expect(lock.getStats()).toMatchObject({ held: 0, waiting: 0, timedOut: 1 })
  })

  it('serves waiters in order, also behind one that gave up as the last of the queue', async () => {
    const lock = new CommandLock({ directory: scratch() })
    const { promise: done, resolve: finish } = gate()
    const served: number[] = []
    const first = lock.withLock('web', () => done)
    const wait = (from: number) =>
      Array.from({ length: 10 }, (_, n) =>
        lock.withLock('web', async () => void served.push(from + n)),
      )
    const before = wait(0)
    await expect(lock.withLock('web', () => {}, { timeoutMs: 1 })).rejects.toThrow('within 1 ms')
    const after = wait(10)
    finish()
    await Promise.all([first, ...before, ...after])
    expect(served).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('tells names apart that a file system would not, and takes any text for a name', async () => {
    const directory = scratch()
    const lock = new CommandLock({ directory })
    const names = ['web', 'WEB', 'a/b', 'a_b', '../up', '', 'CON', 'ü', 'x'.repeat(5000), '\0']
    const { promise: allHeld, resolve: go } = gate()
    let held = 0
    const commands = names.map((name) =>
      lock.withLock(name, () => {
        if (++held === names.length) go()
        return allHeld
      }),
    )
    await Promise.all(commands)
    expect(readdirSync(directory).filter((file) => file.endsWith('.lock'))).toHaveLength(
      names.length,
    )
  })

  it('creates its directory, also when it was removed', async () => {
    const directory = join(scratch(), 'deep/locks')
    const lock = new CommandLock({ directory })
    await lock.withLock('web', () => {})
    rmSync(directory, { recursive: true })
    expect(await lock.withLock('web', () => 1)).toBe(1)
  })

  it('says why there can be no lock', async () => {
    const file = join(scratch(), 'file')
    writeFileSync(file, '')
    const failure = new CommandLock({ directory: file }).withLock('web', () => {})
    await expect(failure).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      details: { directory: file },
    })
    await expect(failure).rejects.toBeInstanceOf(ProcessManagerError)
  })

  it('clearStale removes the files of locks that are not held, and only those', async () => {
    const directory = scratch()
    const lock = new CommandLock({ directory })
    expect(new CommandLock({ directory: join(directory, 'none') }).clearStale()).toBe(0)
    await lock.withLock('a', () => {})
    await lock.withLock('b', async () => {
      expect(lock.clearStale()).toBe(1)
      await expect(lock.withLock('b', () => {}, { timeoutMs: 1 })).rejects.toThrow('"b"')
    })
    writeFileSync(join(directory, 'notes.txt'), '')
    expect(lock.clearStale()).toBe(1)
    expect(readdirSync(directory)).toEqual(['notes.txt'])
  })

  it('refuses options that make no sense', async () => {
    const lock = new CommandLock({ directory: scratch() })
    const never = lock.withLock('web', () => 1, { timeoutMs: Number.NaN })
    await expect(never).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
    expect(() => new CommandLock({ directory: '' })).toThrow(/CommandLock: directory/)
    expect(() => new CommandLock({ directory: 'x', timeoutMs: -1 })).toThrow(/timeoutMs/)
    const unknown = { directory: 'x', timeout: 1 }
    expect(() => new CommandLock(unknown)).toThrow(/timeout/)
  })
})

describe('CommandLock between processes', () => {
  let machine: LockProcesses
  beforeAll(async () => {
    machine = await LockProcesses.open()
  })
  afterAll(() => machine.close())

  it('names the process that holds the lock, and is free at once when that process dies', async () => {
    const holder = machine.start()
    const before = Date.now()
    await holder.run({ kind: 'hold', names: ['web'] })
    const lock = new CommandLock({ directory: machine.directory })
    const failure = await lock.withLock('web', () => {}, { timeoutMs: 50 }).catch((e) => e)
    expect(failure.message).toContain(`process ${holder.pid}, running since `)
    const { owner } = failure.details
    expect(owner.pid).toBe(holder.pid)
    expect(owner.since).toBeGreaterThanOrEqual(before)
    expect(owner.processStartedAt).toBeLessThanOrEqual(owner.since)
    // Clocks tick in other units than this one's.
    expect(owner.processStartedAt).toBeGreaterThan(before - 60_000)

    await holder.kill()
    expect(await lock.withLock('web', () => 'mine')).toBe('mine')
  })

  it('lets a process in that waits for one that takes the lock again and again', async () => {
    const lock = new CommandLock({ directory: machine.directory, timeoutMs: 60_000 })
    let going = true
    // 20 ms inside and microseconds outside: without a turnstile hardly anybody would ever get in.
    const hog = (async () => {
      while (going) await lock.withLock('hog', () => new Promise((done) => setTimeout(done, 20)))
    })()
    const answer = await machine.start().run({ kind: 'take', name: 'hog', times: 10, clear: false })
    going = false
    await hog
    expect(answer).toEqual({ taken: 10, doubles: 0 })
  })
})

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-lock-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  expect(existsSync(directory)).toBe(true)
  return directory
}

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
