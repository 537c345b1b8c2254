import type { PendingCall } from './pending-call.js'
import type { SandboxThread } from './sandbox-thread.js'

/** Work sent ahead to a thread: enough to keep it busy, little enough not to queue behind a slow call. */
const AHEAD_US = 5_000
const MAX_AHEAD = 512

/** A thread and the calls that were sent to it. */
export class Seat {
  readonly thread: SandboxThread
  readonly calls = new Map<number, PendingCall>()
  readonly #hardTimeoutGraceMs: number
  #loadUs = 0

  constructor(thread: SandboxThread, hardTimeoutGraceMs: number) {
    this.thread = thread
    this.#hardTimeoutGraceMs = hardTimeoutGraceMs
  }

  /** What the calls on the thread are expected to take, in microseconds. */
  get loadUs(): number {
    return this.#loadUs
  }

  /** Whether a call that takes about `costUs` may be sent now. */
  hasRoomFor(costUs: number): boolean {
    if (!this.thread.ready || this.calls.size >= MAX_AHEAD) return false
    return this.#loadUs === 0 || this.#loadUs + costUs <= AHEAD_US
  }

  /** Sends a call that is expected to take `costUs`. */
  send(call: PendingCall, costUs: number): void {
    const { request, code } = call
    const { thread } = this
    call.attempts++
    call.loadUs = costUs
    call.suspended = false
    this.#loadUs += costUs
    this.calls.set(request.id, call)
    if (code && !thread.knows(request.handlerKey)) thread.teach(request.handlerKey, code)
    thread.send({ kind: 'call', request })
    thread.busy(request.limits.timeoutMs + this.#hardTimeoutGraceMs)
  }

  /** The call waits for something outside: it no longer counts for the load. */
  suspend(call: PendingCall): void {
    this.#loadUs -= call.loadUs
    call.loadUs = 0
    call.suspended = true
  }

  /** The call is over on this thread. */
  leave(call: PendingCall): void {
    this.calls.delete(call.request.id)
    this.#loadUs -= call.loadUs
    if (this.calls.size === 0) {
      this.#loadUs = 0
      this.thread.idle()
    }
  }
}
