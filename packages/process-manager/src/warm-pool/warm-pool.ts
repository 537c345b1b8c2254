import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { SERVICE_HOST_PATH } from '../entry-points.js'
import { ProcessManagerError } from '../errors.js'
import type { HostMessage, OutputFiles, RunRequest } from './host-messages.js'
import { checkWarmPoolOptions, WARM_POOL_DEFAULTS, type WarmPoolOptions } from './options.js'
import type { ProcessOutput } from './process-output.js'

/** A process that waits to be told what to run. */
export interface PooledProcess {
  /** The process. */
  readonly child: ChildProcess
  /** Whether it was waiting already, rather than forked for this request. */
  readonly warm: boolean
  /** The name of the directory that it prints into; null where `stdout` and `stderr` of `child` are pipes. */
  readonly output: string | null
  /** Makes it the service; its script begins to load now. */
  run(): void
}

/** Makes the files that a process prints into; null where that fails, and what it prints is lost. */
export type MakeOutput = () => { output: ProcessOutput; keptBytes: number } | null

/** What a {@link WarmPool} did so far, and its limits. */
export interface WarmPoolStats {
  /** Processes that should wait. */
  size: number
  /** Memory that waiting processes may have together. */
  maxIdleBytes: number
  /** Processes that wait, ready to run. */
  idle: number
  /** Memory that they have. */
  idleBytes: number
  /** Processes that are on their way to wait. */
  preparing: number
  /** Requests that got a waiting process, and that had to fork one. */
  warmStarts: number
  /** Services that were started without a process that waited. */
  coldStarts: number
  /** Waiting processes replaced because a preloaded file changed. */
  recycled: number
  /** Why the last process that was to wait ended. */
  lastFailure: string | null
}

/** Processes that fail one after the other to get ready, after which the pool waits for none. */
const MAX_FAILURES = 3

/** Read by Node or the loader when a process starts, so a process that waits already cannot have them. */
const READ_AT_START = /^(NODE_(?!ENV$)|UV_|LD_|DYLD_|MALLOC_|OPENSSL_|SSL_|LC_|LANG$|ICU_)/

interface Forked {
  child: ChildProcess
  output: ProcessOutput | null
  /** Makes it the service. */
  run(request: RunRequest): void
}

interface Waiting extends Forked {
  /** Null until it has loaded what it was to preload. */
  memoryBytes: number | null
  /** Of the preloaded files as it loaded them. */
  version: string
}

/**
 * Keeps Node processes waiting, so that a service starts in milliseconds: a waiting process takes over the script,
 * arguments, directory, environment and title, then loads the script as its main module. Nothing of a script is loaded
 * before, so a changed script needs no care.
 */
export class WarmPool {
  readonly #options: Required<WarmPoolOptions>
  readonly #waiting = new Set<Waiting>()
  readonly #counts = { warmStarts: 0, coldStarts: 0, recycled: 0 }
  #failures = 0
  #lastFailure: string | null = null
  /** Lowered from `size` when that many would hold too much memory. */
  #target: number
  #refill: NodeJS.Timeout | undefined
  #closed = false

  /**
   * @param makeOutput where processes print to, when that is not to be a pipe
   * @throws ProcessManagerError `INVALID_OPTIONS`
   */
  constructor(
    options: WarmPoolOptions = {},
    private readonly makeOutput?: MakeOutput,
  ) {
    this.#options = { ...WARM_POOL_DEFAULTS, ...options }
    checkWarmPoolOptions(this.#options)
    this.#target = this.#options.size
    const { fillDelayMs } = this.#options
    if (fillDelayMs === 0) this.#fill()
    else this.#refill = setTimeout(() => this.#fill(), fillDelayMs).unref()
  }

  /**
   * A process for this request, in a process group of its own; it loads nothing of the script until its `run()` is called.
   *
   * @throws ProcessManagerError `CLOSED`
   */
  acquire(request: RunRequest): PooledProcess {
    if (this.#closed) throw new ProcessManagerError('CLOSED', 'The warm pool was closed.')
    const waiting = this.#take(request)
    this.#refill ??= setTimeout(() => this.#fill(), this.#options.refillDelayMs).unref()
    if (waiting === undefined) {
      this.#counts.coldStarts++
      const env = { ...process.env, ...request.env }
      return taken(this.#fork([], { cwd: request.cwd, env }), request, false)
    }
    this.#counts.warmStarts++
    hold(waiting.child, true)
    return taken(waiting, request, true)
  }

  /** Counts since the start, and the limits. */
  getStats(): WarmPoolStats {
    const ready = this.#ready()
    return {
      size: this.#options.size,
      maxIdleBytes: this.#options.maxIdleBytes,
      idle: ready.length,
      idleBytes: sumOfMemory(ready),
      preparing: this.#waiting.size - ready.length,
      ...this.#counts,
      lastFailure: this.#lastFailure,
    }
  }

  /** Ends the processes that wait; those that were taken go on. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#refill)
    this.#dismiss()
  }

  #take(request: RunRequest): Waiting | undefined {
    if (this.#ready().some(({ version }) => version !== this.#version())) {
      this.#counts.recycled += this.#waiting.size
      this.#dismiss()
    }
    const names = Object.keys(request.env)
    const readAtStart = (name: string) =>
      READ_AT_START.test(name) || (name === 'NODE_ENV' && this.#preloadsFiles())
    if (names.some(readAtStart)) return undefined
    const [waiting] = this.#ready()
    if (waiting !== undefined) this.#waiting.delete(waiting)
    return waiting
  }

  #ready() {
    return [...this.#waiting].filter(
      ({ child, memoryBytes }) => memoryBytes !== null && child.connected,
    )
  }

  #fill() {
    this.#refill = undefined
    while (!this.#closed && this.#waiting.size < this.#target) this.#prepare()
  }

  #prepare() {
    const waiting: Waiting = {
      ...this.#fork(this.#options.preload, {}),
      memoryBytes: null,
      version: this.#version(),
    }
    this.#waiting.add(waiting)
    hold(waiting.child, false)
    // What a preloaded module prints belongs to no service, and its last words say why it failed.
    let stderr = ''
    const keepStderr = (chunk: Buffer) => {
      stderr = (stderr + chunk).slice(-2_000)
    }
    waiting.child.stderr?.on('data', keepStderr)
    waiting.child.stdout?.resume()
    const ended = (reason: string) => {
      if (!this.#waiting.delete(waiting)) return
      if (waiting.output !== null) stderr = lastWords(waiting.output)
      this.#lastFailure = stderr.trim() || reason
      if (waiting.output !== null) removeOutput(waiting.output)
      if (++this.#failures < MAX_FAILURES) this.#fill()
      else this.#target = 0
    }
    waiting.child.once('error', (error) => ended(error.message))
    waiting.child.once('exit', (code, signal) => ended(`ended with ${signal ?? `code ${code}`}`))
    waiting.child.once('message', (message: HostMessage) => {
      if (message.type !== 'nexus:idle') return
      waiting.child.stderr?.off('data', keepStderr).pause()
      waiting.child.stdout?.pause()
      waiting.memoryBytes = message.memoryBytes
      this.#failures = 0
      this.#boundMemory(waiting)
    })
  }

  #boundMemory(newest: Waiting) {
    if (sumOfMemory(this.#ready()) <= this.#options.maxIdleBytes) return
    this.#target = Math.min(this.#target, this.#waiting.size - 1)
    this.#waiting.delete(newest)
    end(newest)
  }

  #dismiss() {
    for (const waiting of this.#waiting) end(waiting)
    this.#waiting.clear()
  }

  #fork(preload: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv }): Forked {
    const made = this.makeOutput?.() ?? null
    const streams: ('pipe' | 'ignore' | number)[] =
      made !== null
        ? [made.output.stdout, made.output.stderr]
        : this.makeOutput === undefined
          ? ['pipe', 'pipe']
          : ['ignore', 'ignore']
    try {
      const child = fork(SERVICE_HOST_PATH, preload, {
        ...options,
        detached: true,
        execArgv: [],
        stdio: ['ignore', ...streams, 'ipc'],
      })
      if (child.pid === undefined && made !== null) removeOutput(made.output)
      const files: OutputFiles | null =
        made === null ? null : { directory: made.output.directory, keptBytes: made.keptBytes }
      return {
        child,
        output: made?.output ?? null,
        // The process may be gone by now: its `exit` event says so.
        run: (request) => child.send({ type: 'nexus:run', request, output: files }, () => {}),
      }
    } finally {
      made?.output.close()
    }
  }

  #preloadsFiles() {
    return this.#options.preload.some(isAbsolute)
  }

  /** Changes when a preloaded file does. */
  #version() {
    return this.#options.preload
      .filter(isAbsolute)
      .map((path) => {
        const stat = statSync(path, { throwIfNoEntry: false })
        return `${stat?.mtimeMs}:${stat?.size}:${stat?.ino}`
      })
      .join()
  }
}

function taken({ child, output, run }: Forked, request: RunRequest, warm: boolean): PooledProcess {
  return { child, warm, output: output?.name ?? null, run: () => run(request) }
}

function end(waiting: Waiting) {
  waiting.child.kill('SIGKILL')
  if (waiting.output !== null) removeOutput(waiting.output)
}

function removeOutput({ directory }: ProcessOutput) {
  rmSync(directory, { recursive: true, force: true })
}

function lastWords({ directory }: ProcessOutput) {
  try {
    return readFileSync(join(directory, 'stderr'), 'utf8').slice(-2_000)
  } catch {
    return ''
  }
}

/** Whether the process and its pipes keep the parent alive. */
function hold(child: ChildProcess, held: boolean) {
  const handles = [child, child.channel, child.stdout, child.stderr] as (
    | { ref(): void; unref(): void }
    | null
    | undefined
  )[]
  for (const handle of handles) held ? handle?.ref() : handle?.unref()
}

function sumOfMemory(waiting: readonly Waiting[]) {
  return waiting.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? 0), 0)
}
