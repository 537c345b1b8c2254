import type { SandboxThread } from './sandbox-thread.js'
import type { Seat } from './seat.js'

/** Threads that fail to start, in a row, before calls are failed instead of waiting for another try. */
const MAX_FAILED_STARTS = 3

/** The seats of a pool: those that calls share, one for confined handlers, and a started one in reserve. */
export class Seats {
  readonly #count: number
  readonly #open: () => Seat
  readonly #shared = new Map<SandboxThread, Seat>()
  /** A started thread without work, to take the place of one that is killed; kept from the first kill on. */
  #spare: Seat | undefined
  /** Where confined handlers run, one call at a time; started when the first one comes. */
  #confined: Seat | undefined
  #failedStarts = 0
  #startError: Error | undefined

  /**
   * @param count seats that calls share
   * @param open starts a thread
   */
  constructor(count: number, open: () => Seat) {
    this.#count = count
    this.#open = open
    this.#fill()
  }

  all(): Seat[] {
    const others = [this.#confined, this.#spare].filter((seat) => seat !== undefined)
    return [...this.#shared.values(), ...others]
  }

  of(thread: SandboxThread): Seat | undefined {
    if (this.#confined?.thread === thread) return this.#confined
    if (this.#spare?.thread === thread) return this.#spare
    return this.#shared.get(thread)
  }

  /** Why no thread can be started, once several in a row have failed to. */
  get startFailure(): string | undefined {
    if (!this.#startError) return undefined
    const { message } = this.#startError
    return `Worker threads cannot be started, ${MAX_FAILED_STARTS} in a row failed: ${message}`
  }

  /** The seat with the least to do that has room for a call of this handler, rather one that knows it. */
  freest(handlerKey: string, costUs: number): Seat | undefined {
    let best: Seat | undefined
    for (const seat of this.#shared.values()) {
      if (!seat.hasRoomFor(costUs)) continue
      if (!best || seat.loadUs < best.loadUs) best = seat
      else if (seat.loadUs === best.loadUs && !best.thread.knows(handlerKey)) best = seat
    }
    return best
  }

  /** The seat of confined handlers, when its thread has started and nothing runs there. */
  freeConfined(): Seat | undefined {
    this.#confined ??= this.#takeSpare() ?? this.#open()
    const { thread, calls } = this.#confined
    return thread.ready && calls.size === 0 ? this.#confined : undefined
  }

  /** A thread has started. */
  started(): void {
    this.#failedStarts = 0
    this.#startError = undefined
  }

  /** A thread has ended. */
  remove(seat: Seat): void {
    this.#shared.delete(seat.thread)
    if (seat === this.#confined) this.#confined = undefined
    if (seat === this.#spare) this.#spare = undefined
  }

  /** Starts others in place of the threads that have ended, unless starting fails again and again. */
  replace(ended: SandboxThread, error: Error | undefined): void {
    this.#failedStarts = ended.ready ? 0 : this.#failedStarts + 1
    if (this.#failedStarts < MAX_FAILED_STARTS) {
      this.#fill()
      this.#spare ??= this.#open()
    } else if (![...this.#shared.values()].some(({ thread }) => thread.ready)) {
      this.#startError = error ?? new Error('unknown')
    }
  }

  #fill(): void {
    while (this.#shared.size < this.#count) {
      const seat = this.#takeSpare() ?? this.#open()
      this.#shared.set(seat.thread, seat)
    }
  }

  #takeSpare(): Seat | undefined {
    const spare = this.#spare
    this.#spare = undefined
    return spare
  }
}
