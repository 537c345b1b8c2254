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
  /** Stored when others had moved the cursor beyond them already: a commit takes its time. */
  readonly #overtaken: { dueAtMs: number; sequence: number }[] = []
  #nextMs = 0
  #cancelTimer: (() => void) | undefined

  constructor(group: string, host: DueScheduleHost) {
    this.#group = group
    this.#host = host
  }

  /** A due time that the group has not passed yet. */
  after(wantedMs: number): number {
    return Math.max(wantedMs, this.#cursorMs + 1)
  }

  /** An entry was stored, not before the answer of {@link after}. */
  added(dueAtMs: number, sequence: number): void {
    if (this.#isOvertaken(dueAtMs, sequence)) this.#overtaken.push({ dueAtMs, sequence })
    if (dueAtMs < this.#nextMs) {
      this.#nextMs = dueAtMs
      this.#arm()
    }
  }

  /** The next work that is due by now. */
  next(): Work | undefined {
    return this.#nextOvertaken() ?? this.#nextInOrder()
  }

  /** Stops the timer; {@link next} starts it again. */
  stop(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** Whether the cursor is beyond it, and not because it was seen, and claimed, before its commit was heard of. */
  #isOvertaken(dueAtMs: number, sequence: number): boolean {
    const isBeyond =
      dueAtMs < this.#cursorMs || (dueAtMs === this.#cursorMs && sequence <= this.#cursorSequence)
    return isBeyond && !this.#host.isClaimed(sequence, dueAtMs)
  }

  #nextOvertaken(): Work | undefined {
    while (this.#overtaken.length > 0) {
      const { dueAtMs, sequence } = this.#overtaken.shift()!
      const due = this.#host.engine.get('due', [this.#group, dueAtMs, sequence])
      const work = due && this.#workOf(dueAtMs, sequence, due)
      if (work !== undefined) return work
    }
    return undefined
  }

  #nextInOrder(): Work | undefined {
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

  #workOf(dueAtMs: number, sequence: number, due: DueEntry): Work | undefined {
    const { engine } = this.#host
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
