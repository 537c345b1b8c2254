import { MAX_STEPS } from '../values/value-limits.js'

/** What is built in one turn. One value may take twice as much: it cannot be built in parts. */
export const TURN_STEPS = MAX_STEPS / 2

/** The budget is made new at the next turn only when so much of it is used: most calls need next to nothing. */
const UNNOTICED_STEPS = TURN_STEPS / 50

/** What takes more waits for the next turn: in this one it may just have arrived, which has cost something. */
const LARGE_STEPS = TURN_STEPS / 4

interface Waiting {
  readonly steps: number
  readonly isWanted: () => boolean
  readonly start: () => void
}

/**
 * Shares out the turns of the host's event loop: what guests handed over is built for at most {@link TURN_STEPS} steps in
 * each, and the rest waits for the next turn. Calls take turns, so that one with much to build delays the others little.
 */
export class TurnBudget {
  #left = TURN_STEPS
  /** By the id of the call, in the order in which the calls are served. */
  readonly #waiting = new Map<number, Waiting[]>()
  #nextTurn: NodeJS.Immediate | undefined

  /**
   * Takes steps of this turn, or waits for one that has them.
   *
   * @param isWanted asked when its turn has come: what is no longer wanted costs nothing
   * @returns `undefined` when the steps are there at once
   */
  take(callId: number, steps: number, isWanted: () => boolean = always): Promise<void> | undefined {
    if (this.#waiting.size === 0 && steps <= LARGE_STEPS && steps <= this.#left) {
      this.#left -= steps
      this.#renewWhenUsed()
      return undefined
    }
    this.#renewNextTurn()
    return new Promise((start) => {
      const queue = this.#waiting.get(callId)
      const waiting = { steps, isWanted, start }
      if (queue) queue.push(waiting)
      else this.#waiting.set(callId, [waiting])
    })
  }

  #renewWhenUsed(): void {
    if (this.#left < TURN_STEPS - UNNOTICED_STEPS) this.#renewNextTurn()
  }

  #renewNextTurn(): void {
    this.#nextTurn ??= setImmediate(() => this.#beginTurn())
  }

  #beginTurn(): void {
    this.#left = TURN_STEPS
    this.#nextTurn = undefined
    for (const [callId, queue] of this.#waiting) {
      const next = queue[0]!
      const steps = next.isWanted() ? next.steps : 0
      if (!this.#fits(steps)) break
      this.#left -= steps
      queue.shift()
      // It goes behind the others, which this loop comes to first.
      this.#waiting.delete(callId)
      if (queue.length > 0) this.#waiting.set(callId, queue)
      next.start()
    }
    if (this.#waiting.size > 0) this.#renewNextTurn()
    else this.#renewWhenUsed()
  }

  /** One that is larger than a turn has a turn of its own. */
  #fits(steps: number): boolean {
    return steps <= this.#left || this.#left >= TURN_STEPS - UNNOTICED_STEPS
  }
}

function always(): boolean {
  return true
}
