import { Worker } from 'node:worker_threads'
import type { HandlerCode } from '../call/call.js'
import type { SandboxEngineStats } from '../call/engine-stats.js'
import { monotonicMs } from '../call/monotonic.js'
import { releaseSlotsOf } from '../native/thread-pool-slots.js'
import { WORKER_URL } from '../worker-url.js'
import type { FromThread, ThreadData, ToThread } from './protocol.js'
import { ThreadStatus } from './thread-status.js'

/** Why a thread ended. */
export interface ThreadEnd {
  /** The call that ran past its hard deadline, when that is why. */
  overdueCallId: number | undefined
  /** The call whose guest code ran when the thread crashed. */
  runningCallId: number | undefined
  error: Error | undefined
}

export interface ThreadListener {
  message(thread: SandboxThread, message: FromThread): void
  /** The thread is gone. */
  ended(thread: SandboxThread, end: ThreadEnd): void
}

/** The host's side of one worker thread. */
export class SandboxThread {
  readonly #worker: Worker
  readonly #status = new ThreadStatus()
  readonly #listener: ThreadListener
  readonly #handlers = new Set<string>()
  #outbox: ToThread[] = []
  #ended = false
  #watchdog: NodeJS.Timeout | undefined
  #watchAt = Number.POSITIVE_INFINITY
  /** While the thread is busy, how long it may be left alone. */
  #patienceMs = Number.POSITIVE_INFINITY
  #ready = false

  constructor(data: Omit<ThreadData, 'status'>, listener: ThreadListener) {
    this.#listener = listener
    const workerData: ThreadData = { ...data, status: this.#status.buffer }
    // Loaders, conditions and debuggers of the process have no business in a sandbox thread.
    this.#worker = new Worker(WORKER_URL, { workerData, execArgv: [] })
    this.#worker.on('message', (messages: FromThread[]) => this.#receive(messages))
    this.#worker.on('error', (error) => this.#end(undefined, error))
    const { threadId } = this.#worker
    this.#worker.on('exit', () => {
      releaseSlotsOf(threadId)
      this.#end(undefined, new Error('The thread exited'))
    })
    this.#worker.unref()
  }

  get ready(): boolean {
    return this.#ready
  }

  /** The figures the thread sent last. */
  get stats(): SandboxEngineStats {
    return this.#status.readStats()
  }

  /** Whether this handler was sent before. */
  knows(handlerKey: string): boolean {
    return this.#handlers.has(handlerKey)
  }

  teach(key: string, code: HandlerCode): void {
    this.#handlers.add(key)
    this.send({ kind: 'handler', key, code })
  }

  forget(handlerKey: string): void {
    this.#handlers.delete(handlerKey)
  }

  send(message: ToThread): void {
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush())
    this.#outbox.push(message)
  }

  /** Whether the thread keeps the process alive. */
  hold(held: boolean): void {
    if (held) this.#worker.ref()
    else this.#worker.unref()
  }

  /** A call was sent whose guest code may run for `limitMs` until its hard deadline: the thread is watched. */
  busy(limitMs: number): void {
    this.#patienceMs = Math.min(this.#patienceMs, limitMs)
    this.#watchNoLaterThan(monotonicMs() + limitMs)
  }

  /** No call is left on the thread. */
  idle(): void {
    this.#patienceMs = Number.POSITIVE_INFINITY
  }

  /** Lets the calls under way finish, then ends the thread. */
  async shutdown(): Promise<void> {
    if (this.#ended) return
    // An idle thread keeps no process alive, but a process that waits for its end must live until then.
    this.#worker.ref()
    this.send({ kind: 'shutdown' })
    await new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()))
  }

  /** Ends the thread at once, whatever it does. */
  async terminate(overdueCallId?: number): Promise<void> {
    this.#end(overdueCallId)
    await this.#worker.terminate()
  }

  #flush(): void {
    if (this.#ended || this.#outbox.length === 0) return
    const messages = this.#outbox
    this.#outbox = []
    this.#worker.postMessage(messages)
  }

  #receive(messages: FromThread[]): void {
    if (this.#ended) return
    for (const message of messages) {
      if (message.kind === 'ready') this.#ready = true
      this.#listener.message(this, message)
    }
  }

  #watchNoLaterThan(at: number): void {
    if (at >= this.#watchAt || this.#ended) return
    clearTimeout(this.#watchdog)
    this.#watchAt = at
    this.#watchdog = setTimeout(() => this.#look(), Math.max(1, at - monotonicMs())).unref()
  }

  #look(): void {
    this.#watchAt = Number.POSITIVE_INFINITY
    if (this.#patienceMs === Number.POSITIVE_INFINITY) return
    const now = monotonicMs()
    const current = this.#status.current()
    if (current && now >= current.hardDeadlineAt) void this.terminate(current.callId)
    // Guest code that starts after this look has at least `patienceMs` from now.
    else
      this.#watchNoLaterThan(
        Math.min(now + this.#patienceMs, current?.hardDeadlineAt ?? now + this.#patienceMs),
      )
  }

  #end(overdueCallId: number | undefined, error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#watchdog)
    const runningCallId = this.#status.current()?.callId
    this.#listener.ended(this, { overdueCallId, runningCallId, error })
  }
}
