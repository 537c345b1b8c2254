import type { SandboxEngineStats } from '../call/engine-stats.js'
import { monotonicMs } from '../call/monotonic.js'
import { readStats, STAT_CELLS, writeStats } from './thread-stats.js'

const CALL_ID = 0
const HARD_DEADLINE = 1
const WATCH_CELLS = 2

/**
 * What a thread shows of itself while it is too busy to answer: memory that both sides see.
 *
 * Each number is written whole (an aligned float of 64 bits), the deadline before the call; a
 * watchdog that reads in between sees a deadline that is too late, and looks again.
 */
export class ThreadStatus {
  readonly #cells: Float64Array
  readonly #stats: Float64Array

  constructor(
    readonly buffer: SharedArrayBuffer = new SharedArrayBuffer((WATCH_CELLS + STAT_CELLS) * 8),
  ) {
    this.#cells = new Float64Array(buffer)
    this.#stats = this.#cells.subarray(WATCH_CELLS)
  }

  /** On the thread: guest code of this call is about to run. */
  enter(callId: number, hardDeadlineInMs: number): void {
    this.#cells[HARD_DEADLINE] = monotonicMs() + hardDeadlineInMs
    this.#cells[CALL_ID] = callId
  }

  /** On the thread: guest code has stopped. */
  leave(): void {
    this.#cells[CALL_ID] = 0
  }

  /** On the thread: shows its figures. */
  writeStats(stats: SandboxEngineStats): void {
    writeStats(this.#stats, stats)
  }

  /** The figures the thread showed last; all 0 before it was ready. */
  readStats(): SandboxEngineStats {
    return readStats(this.#stats)
  }

  /** The call whose guest code runs at this moment, and when it must have stopped. */
  current(): { callId: number; hardDeadlineAt: number } | undefined {
    const callId = this.#cells[CALL_ID]!
    return callId === 0 ? undefined : { callId, hardDeadlineAt: this.#cells[HARD_DEADLINE]! }
  }
}
