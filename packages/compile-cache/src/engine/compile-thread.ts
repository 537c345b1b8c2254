import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { CompileError } from '../errors.js'
import { WORKER_URL } from '../worker-url.js'
import type { EngineResult } from './compile-machine.js'
import type { CompileRequest, CompileThreadData } from './compile-worker.js'
import { loadEngineModule } from './engine.js'
import type { EngineLimits } from './engine-limits.js'

interface Task {
  request: CompileRequest
  resolve: (result: EngineResult) => void
  reject: (error: Error) => void
}

/**
 * A worker thread that compiles one source after the other. It starts with the first task, keeps the
 * process alive only while it has one, and is replaced when a task overruns its time or kills it.
 */
export class CompileThread {
  readonly #limits: EngineLimits
  readonly #timeoutMs: number
  readonly #queue: Task[] = []
  #worker: Worker | undefined
  #current: Task | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(limits: EngineLimits, timeoutMs: number) {
    this.#limits = limits
    this.#timeoutMs = timeoutMs
  }

  /**
   * Compile on the thread, after the tasks before it.
   *
   * @throws CompileError CLOSED or INTERNAL_ERROR
   */
  compile(request: CompileRequest): Promise<EngineResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError())
        return
      }
      this.#queue.push({ request, resolve, reject })
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
    try {
      const wasm = await loadEngineModule()
      if (this.#current !== task) return // closed meanwhile
      this.#worker ??= this.#start(wasm)
      const worker = this.#worker
      worker.ref()
      worker.postMessage(task.request)
      this.#timer = setTimeout(
        () => this.#fail(`took longer than ${this.#timeoutMs} ms`),
        this.#timeoutMs,
      )
    } catch (error) {
      this.#settle((failed) => failed.reject(error as Error))
    }
  }

  #start(wasm: WebAssembly.Module): Worker {
    const workerData: CompileThreadData = { wasm, limits: this.#limits }
    const worker = new Worker(WORKER_URL, { workerData, execArgv: [], name: 'nexus-compile' })
    worker.unref()
    worker.on('message', (result: EngineResult) => {
      if (worker === this.#worker) this.#settle((task) => task.resolve(result))
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (worker !== this.#worker) return
      if (error.code === 'ERR_MODULE_NOT_FOUND') {
        this.#worker = undefined
        this.#settle((task) => task.reject(notBuiltError(error)))
      } else this.#fail(error.message)
    })
    worker.on('exit', () => {
      if (worker === this.#worker) this.#fail('ended the compile thread')
    })
    return worker
  }

  /** The running task broke a limit: it fails, and the next task gets a new thread. */
  #fail(message: string): void {
    void this.#discard()
    this.#settle((task) => task.resolve({ fault: { kind: 'limit', message } }))
  }

  #settle(answer: (task: Task) => void): void {
    clearTimeout(this.#timer)
    this.#worker?.unref()
    const task = this.#current
    this.#current = undefined
    if (task) answer(task)
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

function notBuiltError(cause: Error): CompileError {
  return new CompileError(
    'INTERNAL_ERROR',
    `Large sources compile on a worker thread, whose file ${fileURLToPath(WORKER_URL)} is missing: build @nexus/compile-cache (pnpm --filter @nexus/compile-cache build), or keep its dist folder beside a bundle`,
    { cause },
  )
}
