import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProcessManagerError } from '../errors.js'
import { parseOptions } from '../parse-options.js'
import {
  type CommandLockOptions,
  commandLockSchema,
  type ResolvedCommandLockOptions,
  type WithLockOptions,
  withLockSchema,
} from './command-lock-options.js'
import { LockFile } from './lock-file.js'

/** Who holds a lock. */
export interface LockOwner {
  /** The process that holds the lock. */
  pid: number
  /** When that process began, in milliseconds since the epoch: a pid alone may mean another process by now. */
  processStartedAt: number
  /** Since when it holds the lock, in milliseconds since the epoch. */
  since: number
}

/** What a `CommandLock` has done so far. */
export interface CommandLockStats {
  /** Commands that hold a lock now. */
  held: number
  /** Commands that wait for one now. */
  waiting: number
  /** Locks taken since it was created. */
  acquired: number
  /** Of these, how many had to wait. */
  contended: number
  /** Waits that ended with `LOCK_TIMEOUT`. */
  timedOut: number
  /** How long a command waits, in milliseconds. */
  timeoutMs: number
}

const firstPollMs = 1
const longestPollMs = 20
const maxPaths = 10_000
const processStartedAt = Math.round(performance.timeOrigin)

/**
 * Lets one command for a name run at a time, among all processes of a machine that use the same directory.
 *
 * Locks are the kernel's, so the death of a process releases them. Within a process commands run in the order
 * in which they were issued. Between processes one that waits is served before one that comes back for more.
 * It holds nothing between commands, so there is nothing to close.
 *
 * @example
 * ```ts
 * const lock = new CommandLock({ directory: '/run/lock/orders' })
 * await lock.withLock('migrate', async () => migrate())
 * ```
 */
export class CommandLock {
  readonly #options: ResolvedCommandLockOptions
  readonly #paths = new Map<string, string>()
  /** The last command of each name that was issued here and has not ended. */
  readonly #tails = new Map<string, Promise<void>>()
  #held = 0
  #waiting = 0
  #acquired = 0
  #contended = 0
  #timedOut = 0

  /** @throws ProcessManagerError `INVALID_OPTIONS` */
  constructor(options: CommandLockOptions) {
    this.#options = parseOptions(commandLockSchema, options, 'CommandLock')
  }

  /**
   * Runs `fn` while this process holds the lock `name`, and answers what it answers. Not reentrant.
   *
   * @param name any text
   * @throws ProcessManagerError `LOCK_TIMEOUT` naming the holder (`details.owner`), `LOCK_FAILED` where there can
   *   be no lock file, `INVALID_OPTIONS`; and whatever `fn` throws
   */
  async withLock<T>(name: string, fn: () => T | Promise<T>, options?: WithLockOptions): Promise<T> {
    const { timeoutMs = this.#options.timeoutMs } = options
      ? parseOptions(withLockSchema, options, 'withLock')
      : {}
    const deadline = performance.now() + timeoutMs
    const previous = this.#tails.get(name)
    const { promise: ended, resolve: end } = promiseWithResolver()
    const tail = previous ? previous.then(() => ended) : ended
    this.#tails.set(name, tail)
    try {
      const lock = await this.#acquire(name, previous, deadline, timeoutMs)
      this.#held++
      try {
        return await fn()
      } finally {
        this.#held--
        lock.release()
      }
    } finally {
      end()
      // One that gave up leaves the queue while others before it still wait.
      void tail.then(() => {
        if (this.#tails.get(name) === tail) this.#tails.delete(name)
      })
    }
  }

  /**
   * Removes the files of locks that are not held, such as those of processes that were killed. Safe at any
   * time: a lock that is held or just being taken is left alone, or is taken on a new file.
   *
   * @returns how many locks were removed
   */
  clearStale(): number {
    let removed = 0
    for (const file of this.#lockFiles()) {
      const lock = tryAcquire(join(this.#options.directory, file))
      if (!lock) continue
      lock.remove()
      if (file.endsWith('.lock')) removed++
    }
    return removed
  }

  /** Counts since the start, and the limits. */
  getStats(): CommandLockStats {
    return {
      held: this.#held,
      waiting: this.#waiting,
      acquired: this.#acquired,
      contended: this.#contended,
      timedOut: this.#timedOut,
      timeoutMs: this.#options.timeoutMs,
    }
  }

  async #acquire(
    name: string,
    previous: Promise<void> | undefined,
    deadline: number,
    timeoutMs: number,
  ): Promise<LockFile> {
    const path = this.#pathOf(name)
    this.#waiting++
    try {
      const lock =
        (previous ? undefined : this.#tryBoth(path)) ?? (await this.#wait(path, previous, deadline))
      if (!lock) throw this.#timeout(name, path, timeoutMs)
      this.#acquired++
      lock.writeNote(
        JSON.stringify({ name, pid: process.pid, processStartedAt, since: Date.now() }),
      )
      return lock
    } finally {
      this.#waiting--
    }
  }

  /** Without waiting. The turnstile is passed too, or those who wait in it would never get through. */
  #tryBoth(path: string): LockFile | undefined {
    const turnstile = this.#try(`${path}.next`)
    if (!turnstile) return undefined
    try {
      return this.#try(`${path}.lock`)
    } finally {
      turnstile.release()
    }
  }

  async #wait(
    path: string,
    previous: Promise<void> | undefined,
    deadline: number,
  ): Promise<LockFile | undefined> {
    this.#contended++
    if (previous && !(await settlesBy(previous, deadline))) return undefined
    const turnstile = await this.#poll(`${path}.next`, deadline)
    if (!turnstile) return undefined
    try {
      return await this.#poll(`${path}.lock`, deadline)
    } finally {
      turnstile.release()
    }
  }

  // Waiting in the kernel instead would occupy one of the process's few file system threads, for as long as
  // the holder likes.
  async #poll(path: string, deadline: number): Promise<LockFile | undefined> {
    for (let delayMs = firstPollMs; ; delayMs = Math.min(delayMs * 2, longestPollMs)) {
      const lock = this.#try(path)
      if (lock) return lock
      const remainingMs = deadline - performance.now()
      if (remainingMs <= 0) return undefined
      await sleep(Math.min(delayMs * (0.5 + Math.random() / 2), remainingMs))
    }
  }

  #try(path: string): LockFile | undefined {
    const { directory } = this.#options
    try {
      try {
        return LockFile.tryAcquire(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        return LockFile.tryAcquire(path)
      }
    } catch (cause) {
      const expected = 'expected a directory on a local disk that this user may write to'
      throw new ProcessManagerError(
        'LOCK_FAILED',
        `Cannot lock in ${directory}: ${expected}, got ${(cause as Error).message}; choose another directory`,
        { details: { directory, path }, cause },
      )
    }
  }

  #timeout(name: string, path: string, timeoutMs: number): ProcessManagerError {
    this.#timedOut++
    const owner = readOwner(`${path}.lock`)
    const who = owner
      ? `${processOf(owner)} has held it since ${since(owner.since)}`
      : 'another process holds it'
    return new ProcessManagerError(
      'LOCK_TIMEOUT',
      `Lock "${name}": expected to get it within ${timeoutMs} ms, but ${who}; wait until its command has ended, or end that process`,
      { details: { name, timeoutMs, owner } },
    )
  }

  /** The path without its ending: readable, and different for every name on every file system. */
  #pathOf(name: string): string {
    let path = this.#paths.get(name)
    if (path === undefined) {
      const readable = name.replace(/[^\w-]+/g, '_').slice(0, 40)
      const hash = createHash('sha256').update(name).digest('hex').slice(0, 16)
      path = join(this.#options.directory, `${readable}-${hash}`)
      if (this.#paths.size >= maxPaths) this.#paths.clear()
      this.#paths.set(name, path)
    }
    return path
  }

  #lockFiles(): string[] {
    try {
      return readdirSync(this.#options.directory, { withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(lock|next)$/.test(entry.name))
        .map(({ name }) => name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }
}

/** Undefined for one that is held, and for a file that is no lock of this user. */
function tryAcquire(path: string): LockFile | undefined {
  try {
    return LockFile.tryAcquire(path)
  } catch {
    return undefined
  }
}

function readOwner(path: string): LockOwner | null {
  try {
    const { pid, processStartedAt, since } = JSON.parse(LockFile.readNote(path)) as LockOwner
    return { pid, processStartedAt, since }
  } catch {
    return null
  }
}

function processOf({ pid, processStartedAt: startedAt }: LockOwner): string {
  return pid === process.pid ? 'this process' : `process ${pid}, running since ${since(startedAt)},`
}

function since(time: number): string {
  return new Date(time).toISOString()
}

async function settlesBy(promise: Promise<void>, deadline: number): Promise<boolean> {
  const stop = new AbortController()
  const late = sleep(Math.max(0, deadline - performance.now()), false, { signal: stop.signal })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    stop.abort()
    late.catch(() => {})
  }
}

function promiseWithResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
