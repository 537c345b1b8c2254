import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { KillWorkerEnvironment } from './kill-worker.js'
import { WallClock } from './wall-clock.js'

/** The program that workers run. */
export interface WorkerProgram {
  /** A JavaScript file that calls `runStoreWorker`. */
  workerFile: string
  /** Tells the program where the events are. */
  environment?: Readonly<Record<string, string>> | undefined
}

/** What one worker of the kill rounds is to do. */
export interface WorkerTask {
  mode: 'load' | 'drain'
  round: number
  index: number
  /** Index in `PATTERN_SETS`. */
  patternSet: number
}

const DEADLINE_MS = 300_000

/** One process of the kill rounds. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #clock: WallClock

  private constructor(child: ChildProcess, clock: WallClock) {
    this.#child = child
    this.#clock = clock
  }

  static start(
    { workerFile, environment, directory }: WorkerProgram & { directory: string },
    { mode, round, index, patternSet }: WorkerTask,
  ): WorkerProcess {
    const clock = new WallClock(join(directory, `clock-${index}`))
    const task: KillWorkerEnvironment = {
      STORE_JOB: 'kill',
      KILL_DIRECTORY: directory,
      KILL_ROUND: String(round),
      KILL_WORKER: String(index),
      KILL_MODE: mode,
      KILL_PATTERNS: String(patternSet),
    }
    const faked = mode === 'load' ? clock.environment : {}
    const env = { ...process.env, ...environment, ...faked, ...task }
    return new WorkerProcess(fork(workerFile, { env }), clock)
  }

  /** Resolves when it has subscribed. */
  async ready(): Promise<void> {
    await this.#settled((resolve) => this.#child.once('message', resolve))
  }

  /** Resolves when it ended by itself. */
  async finished(): Promise<void> {
    const code = await this.#settled<number | null>((resolve) => this.#child.once('exit', resolve))
    assert.equal(code, 0, 'the worker that handles the rest ended with an error')
  }

  /** Sets its wall clock back or forward. */
  stepClock(random: () => number): void {
    this.#clock.step(random)
  }

  /** Lets it stand still for a while. */
  async freeze(ms: number): Promise<void> {
    this.#child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, ms))
    this.#child.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    await new Promise((resolve) => {
      this.#child.once('exit', resolve)
      this.#child.kill('SIGKILL')
    })
  }

  async #settled<T>(listen: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#child.kill('SIGKILL')
        reject(new Error(`a worker was not done after ${DEADLINE_MS} ms`))
      }, DEADLINE_MS)
      listen((value) => {
        clearTimeout(timer)
        resolve(value)
      })
      this.#child.once('exit', (code) => {
        clearTimeout(timer)
        reject(new Error(`a worker ended early, with code ${code}`))
      })
    })
  }
}
