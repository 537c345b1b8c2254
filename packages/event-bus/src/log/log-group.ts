import type { Clock } from '../clock.js'
import { matchesPattern } from '../event/pattern.js'
import type {
  Claim,
  GroupRequest,
  GroupStats,
  PublishResult,
  Settlement,
} from '../store/event-store.js'
import type { CommitQueue } from './commit-queue.js'
import { DueSchedule } from './due-schedule.js'
import { LogClaim, type Work } from './log-claim.js'
import type { GroupEntry, LogEngine, LogRecord, RunningEntry } from './log-engine.js'
import { writeSettlement } from './log-settlement.js'
import { knownValues, sequencesOf } from './postings.js'

/** Newly stored events a group keeps at hand; beyond, it reads them from the log again. */
const MAX_READY = 2048
/** Events read from the log at once while a group catches up. */
const CATCH_UP_CHUNK = 256

interface Waiter {
  limit: number
  serve(claims: Claim[]): void
  fail(error: unknown): void
}

/** What a group's position depends on. */
export interface LogGroupHost {
  engine: LogEngine
  queue: CommitQueue
  clock: Clock
  /** The newest event. */
  last(): number
  /** What the group has claimed was changed. */
  claimsChanged(): void
  /** The attempt that ended with the process before, 0 when there was none. */
  takeCrashedAttempt(group: string, sequence: number): number
}

/** Where one consumer group stands in the log, and what it has claimed. */
export class LogGroup {
  readonly name: string
  readonly patterns: readonly string[]
  consumers = 0
  readonly #host: LogGroupHost
  readonly #startAfter: number
  readonly #matching = new Map<string, boolean>()
  /** Events up to here may have been handled by a former process. */
  readonly #recoverUntil: number
  #floor: number
  #read: number
  /** Nothing between `#read` and the end of the log matches, except what is in `#ready`. */
  #live = false
  #ready: LogRecord[] = []
  #readyAt = 0
  /** Work from the log in order, so that the floor can follow it. */
  #window: Work[] = []
  #windowAt = 0
  #returned: Work[] = []
  readonly #running = new Set<Work>()
  readonly #waiters: Waiter[] = []
  readonly #due: DueSchedule

  constructor(host: LogGroupHost, request: GroupRequest, entry: GroupEntry) {
    this.name = request.name
    this.patterns = request.patterns
    this.#host = host
    this.#startAfter = entry.startAfter
    this.#floor = Math.max(entry.floor, entry.startAfter)
    this.#read = this.#floor
    this.#recoverUntil = host.last()
    this.#due = new DueSchedule(request.name, {
      engine: host.engine,
      clock: host.clock,
      isWanted: () => this.consumers > 0,
      isClaimed: (sequence, dueAtMs) => this.#isClaimed(sequence, dueAtMs),
      onDue: () => this.serve(),
    })
  }

  matches(type: string): boolean {
    let known = this.#matching.get(type)
    if (known === undefined) {
      known = this.patterns.some((pattern) => matchesPattern(pattern, type))
      this.#matching.set(type, known)
    }
    return known
  }

  /** The group's claims whose handlers run. */
  isRunning(sequence: number): boolean {
    for (const work of this.#running) {
      if (work.record.sequence === sequence) return !work.holding
    }
    return false
  }

  /** The attempts under way. */
  *runningEntries(): Generator<RunningEntry> {
    for (const { record, attempt } of this.#running) yield [this.name, record.sequence, attempt]
  }

  /** Everything up to here is settled, or scheduled. */
  get floor(): number {
    return this.#advance()
  }

  /** Takes note of a new event that matches. */
  offer(record: LogRecord): void {
    if (!this.#live) return
    if (this.#ready.length - this.#readyAt >= MAX_READY) {
      this.#live = false
      return
    }
    this.#ready.push(record)
    this.#read = record.sequence
  }

  /** Hands out what is there to whoever waits. */
  serve(): void {
    while (this.#waiters.length > 0) {
      const waiter = this.#waiters[0]!
      try {
        const claims = this.#take(waiter.limit)
        if (claims.length === 0) break
        this.#waiters.shift()
        waiter.serve(claims)
      } catch (error) {
        this.#waiters.shift()
        waiter.fail(error)
      }
    }
  }

  /** The wanted due time, or a later one at which this event is not in `due` already. */
  dueTimeOf(sequence: number, wantedMs: number): number {
    return this.#due.freeTime(sequence, wantedMs)
  }

  /** Work was added to `due`. */
  wakeAt(dueAtMs: number, sequence: number): void {
    this.#due.added(dueAtMs, sequence)
  }

  async fetch(limit: number, signal: AbortSignal): Promise<Claim[]> {
    if (signal.aborted) return []
    if (this.#waiters.length === 0) {
      const claims = this.#take(limit)
      if (claims.length > 0) return claims
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        limit,
        serve: (claims) => {
          signal.removeEventListener('abort', abort)
          resolve(claims)
        },
        fail: (error) => {
          signal.removeEventListener('abort', abort)
          reject(error)
        },
      }
      const abort = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        resolve([])
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#waiters.push(waiter)
    })
  }

  async settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]> {
    const { work } = claim as LogClaim
    if (work.settled || !this.#running.has(work)) return []
    if (settlement.kind === 'release') {
      this.#running.delete(work)
      this.#returned.push(work)
      this.serve()
      return []
    }
    const holds = settlement.kind === 'retry' && settlement.hold
    return this.#host.queue.run((draft) => {
      const emitted = settlement.kind === 'ack' ? settlement.emit.map((e) => draft.append(e)) : []
      const dueAtMs =
        settlement.kind === 'retry' && !settlement.hold
          ? this.dueTimeOf(work.record.sequence, draft.now + settlement.delayMs)
          : undefined
      writeSettlement(draft, this.name, work, settlement, dueAtMs)
      draft.onFinish(this, () => draft.put('groups', this.name, this.entry()))
      draft.afterCommit.push(() => {
        if (holds) {
          work.attempt += 1
          work.holding = true
          claim.attempt = work.attempt
          return
        }
        work.settled = true
        this.#running.delete(work)
        if (dueAtMs !== undefined) this.wakeAt(dueAtMs, work.record.sequence)
      })
      return emitted
    })
  }

  stats(deadLettered: number, scheduled: number): GroupStats {
    return {
      group: this.name,
      patterns: this.patterns,
      running: this.#running.size,
      scheduled,
      deadLettered,
      behind: Math.max(0, this.#host.last() - this.#advance()) - this.#running.size,
    }
  }

  /** One consumer leaves; the last one stops the timer. */
  leave(): void {
    this.consumers -= 1
    if (this.consumers > 0) return
    this.#due.stop()
  }

  /** What to keep of the group. */
  entry(): GroupEntry {
    return {
      patterns: [...this.patterns],
      startAfter: this.#startAfter,
      floor: this.#advance(),
    }
  }

  /** Everything up to the answer is settled or in `due`. */
  #advance(): number {
    const window = this.#window
    while (this.#windowAt < window.length && window[this.#windowAt]!.settled) {
      this.#floor = window[this.#windowAt]!.record.sequence
      this.#windowAt += 1
    }
    if (this.#windowAt > 1024 && this.#windowAt * 2 > window.length) {
      window.splice(0, this.#windowAt)
      this.#windowAt = 0
    }
    if (this.#windowAt === window.length && this.#readyAt === this.#ready.length && this.#live) {
      this.#floor = Math.max(this.#floor, this.#host.last())
    }
    return this.#floor
  }

  #isClaimed(sequence: number, dueAtMs: number): boolean {
    for (const claimed of [this.#running, this.#returned]) {
      for (const work of claimed) {
        if (work.record.sequence === sequence && work.dueAtMs === dueAtMs) return true
      }
    }
    return false
  }

  #take(limit: number): Claim[] {
    const claims: Claim[] = []
    while (claims.length < limit) {
      const work = this.#returned.shift() ?? this.#due.next() ?? this.#nextFromLog()
      if (work === undefined) break
      const crashed = this.#host.takeCrashedAttempt(this.name, work.record.sequence)
      work.attempt = Math.max(work.attempt, crashed + 1)
      this.#running.add(work)
      claims.push(new LogClaim(work))
    }
    if (claims.length > 0) this.#host.claimsChanged()
    return claims
  }

  #nextFromLog(): Work | undefined {
    for (;;) {
      if (this.#readyAt === this.#ready.length && !this.#refill()) return undefined
      const record = this.#ready[this.#readyAt++]
      if (record === undefined) continue
      const work: Work = { record, attempt: 1, replay: 0, settled: false, holding: false }
      if (record.sequence <= this.#recoverUntil) {
        const before = this.#host.engine.get('deliveries', [record.sequence, this.name])
        if (before !== undefined && before.held !== true) continue
        if (before !== undefined) work.attempt = before.attempts + 1
      }
      this.#window.push(work)
      if (record.deliverAtMs === undefined || record.deliverAtMs <= this.#host.clock.now()) {
        return work
      }
      this.#schedule(work, record.deliverAtMs)
    }
  }

  /** Reads on in the log; false when the group has caught up. */
  #refill(): boolean {
    this.#ready = []
    this.#readyAt = 0
    if (this.#live) return false
    const { engine } = this.#host
    const last = this.#host.last()
    const types = knownValues(engine, 'type')
    const wanted = types.filter((type) => this.matches(type))
    if (wanted.length === types.length) {
      const range = { start: this.#read + 1, end: last + 1, limit: CATCH_UP_CHUNK }
      for (const { value } of engine.range('events', range)) this.#ready.push(value)
    } else {
      for (const sequence of sequencesOf(engine, 'type', wanted, this.#read + 1, last, false)) {
        const record = engine.get('events', sequence)
        if (record !== undefined) this.#ready.push(record)
        if (this.#ready.length === CATCH_UP_CHUNK) break
      }
    }
    if (this.#ready.length < CATCH_UP_CHUNK) {
      this.#live = true
      this.#read = last
    } else this.#read = this.#ready.at(-1)!.sequence
    return this.#ready.length > 0
  }

  /** Leaves an event that is not due yet to the `due` table. */
  #schedule(work: Work, deliverAtMs: number): void {
    const dueAtMs = this.dueTimeOf(work.record.sequence, deliverAtMs)
    this.#host.queue
      .run((draft) => {
        draft.put('due', [this.name, dueAtMs, work.record.sequence], {
          kind: 'scheduled',
          attempt: 1,
          replay: 0,
        })
        draft.put('deliveries', [work.record.sequence, this.name], {
          status: 'pending',
          attempts: 0,
          replays: 0,
          updatedAtMs: draft.now,
          nextAttemptAtMs: dueAtMs,
        })
        draft.onFinish(this, () => draft.put('groups', this.name, this.entry()))
        draft.afterCommit.push(() => {
          work.settled = true
          this.wakeAt(dueAtMs, work.record.sequence)
        })
      })
      .catch(() => {
        // Not stored, so not scheduled: it stays in the window and comes back as ordinary work.
        this.#returned.push(work)
        this.serve()
      })
  }
}
