import type { PendingCall } from './pending-call.js'

/** Calls that wait for a thread, in the order of arrival; those of confined handlers wait apart. */
export class CallQueue {
  readonly #shared = new Map<number, PendingCall>()
  readonly #confined = new Map<number, PendingCall>()

  /** Calls that wait. */
  get size(): number {
    return this.#shared.size + this.#confined.size
  }

  /** The calls that may share a thread, oldest first; those that leave meanwhile are no obstacle. */
  shared(): Iterable<PendingCall> {
    return this.#shared.values()
  }

  /** The oldest call of a confined handler. */
  firstConfined(): PendingCall | undefined {
    return this.#confined.values().next().value
  }

  add(call: PendingCall, isConfined: boolean): void {
    const queue = isConfined ? this.#confined : this.#shared
    queue.set(call.request.id, call)
  }

  /** @returns whether the call was waiting */
  remove({ request: { id } }: PendingCall): boolean {
    return this.#shared.delete(id) || this.#confined.delete(id)
  }

  /** Puts calls before those that wait: they were first before, and nothing of them has left their thread. */
  putFirst(calls: readonly PendingCall[]): void {
    const rest = [...this.#shared.values()]
    this.#shared.clear()
    for (const call of [...calls, ...rest]) this.#shared.set(call.request.id, call)
  }

  /** Takes every call out. */
  clear(): PendingCall[] {
    const calls = [...this.#shared.values(), ...this.#confined.values()]
    this.#shared.clear()
    this.#confined.clear()
    return calls
  }
}
