import type { Clock } from '../../clock.js'
import type { DueEntry, LogEngine } from '../log-engine.js'
import { type LogDelivery, newDelivery } from './log-claim.js'

/** The wall clock is looked at no later than this: it may have been set, or the machine suspended. */
const LONGEST_LOOK_MS = 10_000

/** What a schedule asks and tells its group. */
export interface DueScheduleHost {
  engine: LogEngine
  clock: Clock
  /** A consumer would take what comes due. */
  isWanted(): boolean
  /** What to do with a delivery of this type: hand it out, leave it for a later consumer, or drop it. */
  verdict(type: string): 'take' | 'leave' | 'drop'
  drop(dueAtMs: number, sequence: number): void
  /**
   * Makes a delivery due at another time, because the clock that its time came from was set back; ends with
   * {@link DueSchedule.returned}.
   */
  move(dueAtMs: number, sequence: number, entry: DueEntry, toMs: number): void
  onDue(): void
}

/** How far one group has got in the table of deliveries that are due at a time. */
export class DueSchedule {
  readonly #group: string
  readonly #host: DueScheduleHost
  /**
   * Entries, as `dueAtMs sequence`, that are in the table and not free to be handed out: those that are and are not
   * settled, and those whose new time is being stored.
   */
  readonly #out = new Set<string>()
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

  /** Whether the entry was handed out, or is being moved. */
  isOut(dueAtMs: number, sequence: number): boolean {
    return this.#out.has(`${dueAtMs} ${sequence}`)
  }

  /** An entry was settled, or is left in the table for another time. */
  returned(dueAtMs: number, sequence: number): void {
    this.#out.delete(`${dueAtMs} ${sequence}`)
  }

  /** An entry was stored. The cursor may have passed it: a commit takes its time, and a clock can be set back. */
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

  /** Looks at every entry again: other consumers ask for other types. */
  rewind(): void {
    this.#cursorMs = 0
    this.#cursorSequence = -1
    this.#nextMs = 0
  }

  /** The next delivery that is due by now. */
  next(): LogDelivery | undefined {
    const { engine, clock } = this.#host
    const now = clock.now()
    if (this.#nextMs > now && !this.#waitsTooLong(now)) {
      // The timer may have fired a moment too early.
      if (this.#cancelTimer === undefined) this.#arm()
      return undefined
    }
    for (const { key, value } of engine.range('due', {
      start: [this.#group, this.#cursorMs, this.#cursorSequence + 1],
      end: [this.#group, Number.MAX_SAFE_INTEGER, 0],
    })) {
      const [, dueAtMs, sequence] = key
      if (dueAtMs > now) {
        this.#nextMs = dueAtMs
        if (this.#waitsTooLong(now)) this.#restartWaits(now)
        this.#arm()
        return undefined
      }
      this.#cursorMs = dueAtMs
      this.#cursorSequence = sequence
      const delivery = this.#deliveryOf(dueAtMs, sequence, value)
      if (delivery !== undefined) return delivery
    }
    this.#nextMs = Number.POSITIVE_INFINITY
    return undefined
  }

  /** Stops the timer; {@link next} starts it again. */
  stop(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #deliveryOf(dueAtMs: number, sequence: number, due: DueEntry): LogDelivery | undefined {
    const { engine, verdict, drop } = this.#host
    if (this.isOut(dueAtMs, sequence)) return undefined
    const record = engine.get('events', sequence)
    if (record === undefined) return undefined
    const decided = verdict(record.type)
    if (decided === 'drop') drop(dueAtMs, sequence)
    if (decided !== 'take') return undefined
    this.#out.add(`${dueAtMs} ${sequence}`)
    const before = engine.get('deliveries', [sequence, this.#group])
    const attempt = before?.isUnfinished === true ? before.attempts + 1 : due.attempt
    return { ...newDelivery(record, attempt, due.replay), dueAtMs }
  }

  /** The next entry's time came from a clock that was set back since: it is further away than the wait it began with. */
  #waitsTooLong(now: number): boolean {
    if (!Number.isFinite(this.#nextMs)) return false
    for (const entry of this.#entriesAfter(now)) return restartedAt(entry, now) !== undefined
    return false
  }

  #restartWaits(now: number): void {
    for (const entry of this.#entriesAfter(now)) {
      const toMs = restartedAt(entry, now)
      const [, dueAtMs, sequence] = entry.key
      if (toMs === undefined) continue
      this.#out.add(`${dueAtMs} ${sequence}`)
      this.#host.move(dueAtMs, sequence, entry.value, toMs)
    }
  }

  /** What waits after this time; what is handed out does not wait, though it stays in the table. */
  *#entriesAfter(now: number) {
    for (const entry of this.#host.engine.range('due', {
      start: [this.#group, now + 1, 0],
      end: [this.#group, Number.MAX_SAFE_INTEGER, 0],
    })) {
      const [, dueAtMs, sequence] = entry.key
      if (!this.isOut(dueAtMs, sequence)) yield entry
    }
  }

  #arm(): void {
    this.stop()
    const { clock, isWanted, onDue } = this.#host
    if (!isWanted() || !Number.isFinite(this.#nextMs)) return
    const waitMs = Math.min(Math.max(0, this.#nextMs - clock.now()), LONGEST_LOOK_MS)
    this.#cancelTimer = clock.schedule(() => {
      this.#cancelTimer = undefined
      onDue()
    }, waitMs)
  }
}

function restartedAt(
  { key: [, dueAtMs], value: { delayMs } }: { key: [string, number, number]; value: DueEntry },
  now: number,
): number | undefined {
  return delayMs !== undefined && dueAtMs > now + delayMs ? now + delayMs : undefined
}
