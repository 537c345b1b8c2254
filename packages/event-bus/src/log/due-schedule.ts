import type { Clock } from '../clock.js'
import type { Work } from './log-claim.js'
import type { DueEntry, LogEngine } from './log-engine.js'

/** What a schedule asks and tells its group. */
export interface DueScheduleHost {
  engine: LogEngine
  clock: Clock
  /** Somebody would take what comes due. */
  isWanted(): boolean
  isClaimed(sequence: number, dueAtMs: number): boolean
  onDue(): void
}

/** How far one group has got in the table of work that is due at a time. */
export class DueSchedule {
  readonly #group: string
  readonly #host: DueScheduleHost
  #cursorMs = 0
  #cursorSequence = -1
  #nextMs = 0
  #cancelTimer: (() => void) | undefined

  constructor(group: string, host: DueScheduleHost) {
    this.#group = group
    this.#host = host
  }

  /** The wanted time, or a later one at which the table has no entry of this event. */
  freeTime(sequence: number, wantedMs: number): number {
    let dueAtMs = wantedMs
    while (this.#host.engine.get('due', [this.#group, dueAtMs, sequence]) !== undefined)
      dueAtMs += 1
    return dueAtMs
  }

  /** An entry was stored. The cursor may be beyond it by now: a commit takes its time, and a clock can be set back. */
  added(dueAtMs: number, sequence: number): void {
    const passed =
      dueAtMs < this.#cursorMs || (dueAtMs === this.#cursorMs && sequence <= this.#cursorSequence)
    if (passed) {
      this.#cursorMs = dueAtMs
      this.#cursorSequence = sequence - 1
    }
    if (dueAtMs < this.#nextMs) {
      this.#nextMs = dueAtMs
      this.#arm()
    }
  }

  /** The next work that is due by now. */
  next(): Work | undefined {
    const { engine, clock } = this.#host
    const now = clock.now()
    if (this.#nextMs > now) return undefined
    for (const { key, value } of engine.range('due', {
      start: [this.#group, this.#cursorMs, this.#cursorSequence + 1],
      end: [this.#group, Number.MAX_SAFE_INTEGER, 0],
    })) {
      const [, dueAtMs, sequence] = key
      if (dueAtMs > now) {
        this.#nextMs = dueAtMs
        this.#arm()
        return undefined
      }
      this.#cursorMs = dueAtMs
      this.#cursorSequence = sequence
      const work = this.#workOf(dueAtMs, sequence, value)
      if (work !== undefined) return work
    }
    this.#nextMs = Number.POSITIVE_INFINITY
    return undefined
  }

  /** Stops the timer; {@link next} starts it again. */
  stop(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #workOf(dueAtMs: number, sequence: number, due: DueEntry): Work | undefined {
    const { engine, isClaimed } = this.#host
    // An entry stays until its work is settled.
    if (isClaimed(sequence, dueAtMs)) return undefined
    const record = engine.get('events', sequence)
    if (record === undefined) return undefined
    const before = engine.get('deliveries', [sequence, this.#group])
    const attempt = before?.held === true ? before.attempts + 1 : due.attempt
    return { record, attempt, replay: due.replay, dueAtMs, settled: false, holding: false }
  }

  #arm(): void {
    this.stop()
    const { clock, isWanted, onDue } = this.#host
    if (!isWanted()) return
    this.#cancelTimer = clock.schedule(onDue, Math.max(0, this.#nextMs - clock.now()))
  }
}
