import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { FaultProxy } from '../fault-proxy.js'
import type { FaultPlan } from './fault-plan.js'
import { type FaultWorkerEnvironment, OLDER, sharedNowMs } from './fault-worker.js'
import { WallClock } from './wall-clock.js'

const DEADLINE_MS = 180_000

/** One process of the fault rounds. */
export class FaultProcess {
  /** It asks for all events. */
  readonly isNewer: boolean
  /** Its wall clock. */
  readonly clock: WallClock
  /** Its network, where the backend has a server. */
  readonly proxy: FaultProxy | undefined
  /** When it was ready, by the clock that all processes share: then it knew what the server held. */
  readyAtMs = Number.POSITIVE_INFINITY
  readonly #child: ChildProcess

  private constructor(
    child: ChildProcess,
    isNewer: boolean,
    clock: WallClock,
    proxy: FaultProxy | undefined,
  ) {
    this.#child = child
    this.isNewer = isNewer
    this.clock = clock
    this.proxy = proxy
  }

  /**
   * Starts it.
   *
   * @param generation patterns of its consumers
   */
  static async start(
    { workerFile, environment, directory, server }: FaultPlan,
    name: string,
    generation: readonly (readonly string[])[],
    mode: FaultWorkerEnvironment['FAULT_MODE'],
  ): Promise<FaultProcess> {
    const proxy = server && (await FaultProxy.start(server.port))
    const clock = new WallClock(join(directory, `clock-${name}`))
    const task: FaultWorkerEnvironment = {
      STORE_JOB: 'faults',
      FAULT_DIRECTORY: directory,
      FAULT_NAME: name,
      FAULT_PATTERNS: JSON.stringify(generation),
      FAULT_MODE: mode,
    }
    const place = server === undefined ? environment : server.environmentAt(proxy!.port)
    const env = { ...process.env, ...place, ...clock.environment, ...task }
    return new FaultProcess(fork(workerFile, { env }), generation !== OLDER, clock, proxy)
  }

  /** Resolves when it has subscribed. */
  async ready(): Promise<void> {
    await this.#settled((resolve) => this.#child.once('message', resolve))
    this.readyAtMs = sharedNowMs()
  }

  /** Lets it publish. */
  publish(): void {
    this.#child.send('publish')
  }

  /** Resolves when it ended by itself. */
  async finished(): Promise<void> {
    try {
      const code = await this.#settled<number | null>((done) => this.#child.once('exit', done))
      assert.equal(code, 0, 'the process that handles the rest ended with an error')
    } finally {
      await this.proxy?.close()
    }
  }

  /** Lets it stand still for a while. */
  async freeze(ms: number): Promise<void> {
    this.#child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, ms))
    this.#child.kill('SIGCONT')
  }

  /** Ends it with -9. */
  async kill(): Promise<void> {
    await new Promise((resolve) => {
      this.#child.once('exit', resolve)
      this.#child.kill('SIGKILL')
    })
    await this.proxy?.close()
  }

  #settled<T>(listen: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#child.kill('SIGKILL')
        reject(new Error(`a process was not done after ${DEADLINE_MS} ms`))
      }, DEADLINE_MS)
      listen((value) => {
        clearTimeout(timer)
        resolve(value)
      })
      this.#child.once('exit', (code) => {
        clearTimeout(timer)
        reject(new Error(`a process ended early, with code ${code}`))
      })
    })
  }
}
