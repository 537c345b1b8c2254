import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long the event loop is kept at most before other work gets its turn. */
const SLICE_MS = 2

/** Cuts long work into slices: ask {@link isOver} now and then, and await {@link next} when it is. */
export class TimeSlice {
  #endMs = performance.now() + SLICE_MS

  isOver(): boolean {
    return performance.now() >= this.#endMs
  }

  /** Resolves once other work had its turn. */
  async next(): Promise<void> {
    await nextTurn()
    this.#endMs = performance.now() + SLICE_MS
  }
}
