import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BundledWorker, bundleWorker } from '@nexus/test-kit'
import type { LockAnswer, LockTask } from './lock-worker.js'

/** A process that takes locks when told to. */
export class LockProcess {
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
  }

  get pid(): number {
    return this.#child.pid!
  }

  async run(task: LockTask): Promise<LockAnswer> {
    this.#child.send(task)
    const [answer] = (await once(this.#child, 'message')) as [LockAnswer]
    return answer
  }

  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}

/** Processes that share a lock directory; all of it goes with `close`. */
export class LockProcesses {
  readonly directory = join(mkdtempSync(join(tmpdir(), 'nexus-lock-')), 'locks')
  readonly #worker: BundledWorker
  readonly #children = new Set<ChildProcess>()

  private constructor(worker: BundledWorker) {
    this.#worker = worker
  }

  static async open(): Promise<LockProcesses> {
    return new LockProcesses(await bundleWorker(join(import.meta.dirname, 'lock-worker.ts')))
  }

  start(): LockProcess {
    const env = {
      ...process.env,
      LOCK_DIRECTORY: this.directory,
      LOCK_INSIDE: join(this.directory, '../inside'),
    }
    const child = fork(this.#worker.workerFile, { env })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return new LockProcess(child)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => new LockProcess(child).kill()))
    this.#worker.remove()
    rmSync(join(this.directory, '..'), { recursive: true, force: true })
  }
}
