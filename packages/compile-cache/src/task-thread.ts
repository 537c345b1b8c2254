import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { CompileError } from './errors.js'

/** How a {@link TaskThread} is set up. */
export interface TaskThreadSettings {
  /** The built file that the worker runs: it answers each message with one. */
  url: URL
  /** How the system and error messages call the thread. */
  name: string
  /** What the worker is given when it starts. */
  workerData: () => Promise<unknown>
  /** Longest time of one task, in milliseconds; absent where tasks bound themselves. */
  timeoutMs?: number
}

/** A task took longer than it may, or ended its thread. */
export class TaskEnded extends Error {}

interface Task<Request> {
  request: Request
  resolve: (answer: unknown) => void
  reject: (error: Error) => void
}

/**
 * A worker thread that does one task after the other. It starts with the first task, keeps the
 * process alive only while it has one, and is replaced when a task overruns its time or kills it.
 */
export class TaskThread<Request> {
  readonly #settings: TaskThreadSettings
  readonly #queue: Task<Request>[] = []
  #worker: Worker | undefined
  #current: Task<Request> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(settings: TaskThreadSettings) {
    this.#settings = settings
  }

  /**
   * Do a task, after the tasks before it.
   *
   * @typeParam Answer what the worker answers to this request
   * @throws TaskEnded when it overran its time or ended the thread; CompileError CLOSED or INTERNAL_ERROR
   */
  run<Answer>(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError())
        return
      }
      this.#queue.push({ request, resolve: resolve as (answer: unknown) => void, reject })
      void this.#next()
    })
  }

  /** End the thread; tasks that wait or run fail. */
  async close(): Promise<void> {
    this.#closed = true
    for (const task of this.#queue.splice(0)) task.reject(closedError())
    this.#settle((task) => task.reject(closedError()))
    await this.#discard()
  }

  async #next(): Promise<void> {
    if (this.#current) return
    const task = this.#queue.shift()
    if (!task) return
    this.#current = task
    const { workerData, timeoutMs } = this.#settings
    try {
      const data = this.#worker ? undefined : await workerData()
      if (this.#current !== task) return // closed meanwhile
      this.#worker ??= this.#start(data)
      const worker = this.#worker
      worker.ref()
      worker.postMessage(task.request)
      if (timeoutMs === undefined) return
      const overrun = () => this.#fail(`took longer than ${timeoutMs} ms`)
      this.#timer = setTimeout(overrun, timeoutMs)
    } catch (error) {
      this.#settle((failed) => failed.reject(error as Error))
    }
  }

  #start(workerData: unknown): Worker {
    const { url, name } = this.#settings
    const worker = new Worker(url, { workerData, execArgv: [], name })
    worker.unref()
    worker.on('message', (answer: unknown) => {
      if (worker === this.#worker) this.#settle((task) => task.resolve(answer))
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (worker !== this.#worker) return
      if (error.code === 'ERR_MODULE_NOT_FOUND') {
        this.#worker = undefined
        this.#settle((task) => task.reject(notBuiltError(url, error)))
      } else this.#fail(error.message)
    })
    worker.on('exit', () => {
      if (worker === this.#worker) this.#fail(`ended the thread ${name}`)
    })
    return worker
  }

  /** The running task broke a limit: it fails, and the next task gets a new thread. */
  #fail(message: string): void {
    void this.#discard()
    this.#settle((task) => task.reject(new TaskEnded(message)))
  }

  #settle(finish: (task: Task<Request>) => void): void {
    clearTimeout(this.#timer)
    this.#worker?.unref()
    const task = this.#current
    this.#current = undefined
    if (task) finish(task)
    void this.#next()
  }

  async #discard(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

function closedError(): CompileError {
  return new CompileError('CLOSED', 'The HandlerCompiler was closed before this was compiled')
}

function notBuiltError(url: URL, cause: Error): CompileError {
  return new CompileError(
    'INTERNAL_ERROR',
    `Large sources compile on a worker thread, whose file ${fileURLToPath(url)} is missing: build @nexus/compile-cache (pnpm --filter @nexus/compile-cache build), or keep its dist folder beside a bundle`,
    { cause },
  )
}
