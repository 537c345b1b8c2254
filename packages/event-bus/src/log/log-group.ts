import type { Clock } from '../clock.js'
import { matchesPattern } from '../event/pattern.js'
import { claimLost } from '../store/claim-lost.js'
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
import { LogConsumer } from './log-consumer.js'
import type { LogDraft } from './log-draft.js'
import type { DueEntry, GroupEntry, LogEngine, LogRecord, RunningEntry } from './log-engine.js'
import { LogReader } from './log-reader.js'
import { writeSettlement } from './log-settlement.js'
import { SettledWindow } from './settled-window.js'
import { WaitingWork } from './waiting-work.js'

interface Waiter {
  consumer: LogConsumer
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
  /** An event was erased since the log was opened: what is in memory may have its data. */
  hasErased(): boolean
  /** Which attempts run was changed. */
  attemptsChanged(): void
  /** The group wants other types than before; `before` are the patterns it had. */
  patternsChanged(group: LogGroup, before: readonly string[]): void
  /** The last consumer left. */
  closed(group: LogGroup): void
  /** The attempt that ended with the process before, 0 when there was none. */
  takeCrashedAttempt(group: string, sequence: number): number
}

/** Where one consumer group stands in the log, and what it has claimed. */
export class LogGroup {
  readonly name: string
  readonly #host: LogGroupHost
  readonly #ordered: boolean
  readonly #startAfter: number
  readonly #consumers = new Set<LogConsumer>()
  /** Patterns of the consumer that was opened last. */
  #newest: readonly string[]
  /** What the group wants: the newest patterns, and those of every open consumer. */
  #patterns: readonly string[]
  /** The one consumer of an ordered group that gets events. */
  #owner: LogConsumer | undefined
  readonly #matching = new Map<string, boolean>()
  /** Events up to here may have been handled by a former process. */
  readonly #recoverUntil: number
  #floor: number
  readonly #reader: LogReader
  readonly #window = new SettledWindow()
  readonly #waiting = new WaitingWork()
  /** Work was left in `due` because too much of its type was waiting. */
  #leftInDue = false
  readonly #claimed = new Set<Work>()
  readonly #waiters: Waiter[] = []
  readonly #due: DueSchedule

  constructor(host: LogGroupHost, { name, ordered }: GroupRequest, entry: GroupEntry) {
    this.name = name
    this.#host = host
    this.#ordered = ordered
    this.#newest = entry.patterns
    this.#patterns = entry.patterns
    this.#startAfter = entry.startAfter
    this.#floor = Math.max(entry.floor, entry.startAfter)
    this.#recoverUntil = host.last()
    this.#reader = new LogReader(
      {
        engine: host.engine,
        last: () => host.last(),
        matches: (type) => this.matches(type),
        onMore: () => this.serve(),
      },
      this.#floor,
    )
    this.#due = new DueSchedule(name, {
      engine: host.engine,
      clock: host.clock,
      isWanted: () => this.#consumers.size > 0,
      verdict: (type) => (this.#isAskedFor(type) ? 'take' : this.matches(type) ? 'leave' : 'drop'),
      drop: (dueAtMs, sequence) => this.#drop(dueAtMs, sequence),
      move: (dueAtMs, sequence, entry, toMs) => this.#move(dueAtMs, sequence, entry, toMs),
      onDue: () => this.serve(),
    })
  }

  get patterns(): readonly string[] {
    return this.#patterns
  }

  get isOpen(): boolean {
    return this.#consumers.size > 0
  }

  /** Whether the group wants events of the type. */
  matches(type: string): boolean {
    let known = this.#matching.get(type)
    if (known === undefined) {
      if (this.#matching.size >= 10_000) this.#matching.clear()
      known = this.#patterns.some((pattern) => matchesPattern(pattern, type))
      this.#matching.set(type, known)
    }
    return known
  }

  /** Adds a consumer, whose patterns are the newest from then on. */
  join(patterns: readonly string[]): LogConsumer {
    const consumer = new LogConsumer(this, patterns)
    this.#consumers.add(consumer)
    this.#newest = patterns
    this.#updatePatterns()
    // Work may be there that no consumer asked for until now.
    this.#due.rewind()
    return consumer
  }

  /** A consumer leaves; the last one stops the timer. */
  leave(consumer: LogConsumer): void {
    this.#consumers.delete(consumer)
    if (this.#owner === consumer) this.#owner = undefined
    this.#updatePatterns()
    if (this.#consumers.size > 0) {
      this.serve()
      return
    }
    this.#due.stop()
    this.#host.closed(this)
  }

  /** The group's claims whose handlers run. */
  isRunning(sequence: number): boolean {
    for (const work of this.#claimed) {
      if (work.record.sequence === sequence) return work.begun
    }
    return false
  }

  /** The attempts under way. */
  *runningEntries(): Generator<RunningEntry> {
    for (const { record, attempt, begun } of this.#claimed) {
      if (begun) yield [this.name, record.sequence, attempt]
    }
  }

  /** Everything up to here is settled, or scheduled. */
  get floor(): number {
    return this.#advance()
  }

  /** Takes note of a new event that matches. */
  offer(record: LogRecord): void {
    this.#reader.offer(record)
  }

  /** Hands out what is there to consumers that wait. */
  serve(): void {
    for (let served = true; served; ) {
      served = false
      for (const waiter of [...this.#waiters]) {
        const claims = this.#takeFor(waiter)
        if (claims === undefined || claims.length > 0) {
          this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
          served = true
          if (claims !== undefined) waiter.serve(claims)
        }
      }
    }
  }

  /** The wanted due time, or a later one at which this event is not in `due` already. */
  dueTimeOf(sequence: number, wantedMs: number): number {
    return this.#due.freeTime(sequence, wantedMs)
  }

  /** Whether work of `due` was handed out. */
  isOut(dueAtMs: number, sequence: number): boolean {
    return this.#due.isOut(dueAtMs, sequence)
  }

  /** Work was added to `due`. */
  wakeAt(dueAtMs: number, sequence: number): void {
    this.#due.added(dueAtMs, sequence)
  }

  async fetch(consumer: LogConsumer, limit: number, signal: AbortSignal): Promise<Claim[]> {
    if (signal.aborted) return []
    const claims = this.#take(consumer, limit)
    // Looking for this consumer's work may have found that of others.
    if (this.#waiting.size > 0 && this.#waiters.length > 0) this.serve()
    if (claims.length > 0) return claims
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        consumer,
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

  /** The handlers of these claims start. */
  begin(claims: readonly LogClaim[]): void {
    for (const { work } of claims) work.begun = true
    this.#host.attemptsChanged()
  }

  async settle(claim: LogClaim, settlement: Settlement): Promise<PublishResult[]> {
    const { work } = claim
    if (settlement.kind === 'release') {
      if (work.claim === claim) this.#giveBack(work)
      return []
    }
    if (work.claim !== claim) throw claimLost(this.name, claim.event)
    return this.#host.queue.run((draft) => this.#settleIn(draft, claim, settlement))
  }

  /** A consumer has one claim less: an ordered group may go to another one. */
  settledBy(consumer: LogConsumer): void {
    const handsOver = this.#ordered && consumer === this.#owner && consumer.claimed.size === 0
    if (handsOver && this.#consumers.size > 1) this.serve()
  }

  stats(deadLettered: number, scheduled: number): GroupStats {
    return {
      group: this.name,
      patterns: this.#patterns,
      running: this.#claimed.size,
      scheduled,
      deadLettered,
      behind: Math.max(0, this.#host.last() - this.#advance() - this.#claimed.size),
    }
  }

  /** What to keep of the group. */
  entry(): GroupEntry {
    return {
      patterns: [...this.#patterns],
      startAfter: this.#startAfter,
      floor: this.#advance(),
    }
  }

  #updatePatterns(): void {
    const before = this.#patterns
    const wanted = new Set(this.#newest)
    for (const { patterns } of this.#consumers) for (const pattern of patterns) wanted.add(pattern)
    if (wanted.size === before.length && before.every((pattern) => wanted.has(pattern))) return
    this.#patterns = [...wanted]
    this.#matching.clear()
    this.#host.patternsChanged(this, before)
  }

  /** Whether an open consumer asks for events of the type. */
  #isAskedFor(type: string): boolean {
    for (const consumer of this.#consumers) if (consumer.wants(type)) return true
    return false
  }

  #settleIn(
    draft: LogDraft,
    claim: LogClaim,
    settlement: Exclude<Settlement, { kind: 'release' }>,
  ): PublishResult[] {
    const { work } = claim
    const { sequence } = work.record
    const emitted = settlement.kind === 'ack' ? settlement.emit.map((e) => draft.append(e)) : []
    const inPlace = settlement.kind === 'retry' && settlement.hold
    const attempts = work.begun ? work.attempt : work.attempt - 1
    const dueAtMs =
      settlement.kind === 'retry' && !inPlace
        ? this.dueTimeOf(sequence, draft.now + settlement.delayMs)
        : undefined
    const record = this.#host.hasErased() ? this.#host.engine.get('events', sequence) : undefined
    writeSettlement(draft, this.name, work, settlement, dueAtMs, record?.erased !== undefined)
    draft.onFinish(this, () => draft.put('groups', this.name, this.entry()))
    draft.afterCommit.push(() => {
      work.begun = false
      if (inPlace) {
        work.attempt = attempts + 1
        work.retryingInPlace = true
        claim.attempt = work.attempt
        return
      }
      work.settled = true
      this.#forget(work)
      if (work.dueAtMs !== undefined) this.#due.returned(work.dueAtMs, sequence)
      if (dueAtMs !== undefined) this.wakeAt(dueAtMs, sequence)
    })
    return emitted
  }

  #forget(work: Work): void {
    this.#claimed.delete(work)
    delete work.claim
  }

  #giveBack(work: Work): void {
    this.#forget(work)
    work.begun = false
    work.retryingInPlace = false
    this.#waiting.add(work)
    this.serve()
  }

  /** Everything up to the answer is settled or in `due`. */
  #advance(): number {
    this.#floor = this.#window.advance() ?? this.#floor
    if (this.#window.isEmpty && this.#reader.caughtUp) {
      this.#floor = Math.max(this.#floor, this.#host.last())
    }
    return this.#floor
  }

  #takeFor(waiter: Waiter): Claim[] | undefined {
    try {
      return this.#take(waiter.consumer, waiter.limit)
    } catch (error) {
      waiter.fail(error)
      return undefined
    }
  }

  #take(consumer: LogConsumer, limit: number): Claim[] {
    const claims: Claim[] = []
    if (this.#ordered && this.#choosesOwner() !== consumer) return claims
    if (this.#leftInDue && this.#waiting.size === 0) {
      this.#leftInDue = false
      this.#due.rewind()
    }
    while (claims.length < limit) {
      const work =
        this.#waiting.take((type) => consumer.wants(type)) ??
        this.#due.next() ??
        this.#nextFromLog()
      if (work === undefined) break
      if (consumer.wants(work.record.type)) claims.push(this.#claim(work, consumer))
      else this.#leave(work)
    }
    return claims
  }

  #claim(work: Work, consumer: LogConsumer): LogClaim {
    const { engine, hasErased, takeCrashedAttempt } = this.#host
    const { sequence } = work.record
    if (hasErased()) work.record = engine.get('events', sequence) ?? work.record
    work.attempt = Math.max(work.attempt, takeCrashedAttempt(this.name, sequence) + 1)
    const claim = new LogClaim(work)
    work.claim = claim
    this.#claimed.add(work)
    consumer.claimed.add(claim)
    return claim
  }

  /**
   * Who gets the events of an ordered group: one consumer at a time, and one with the newest patterns if there is any.
   * Another one keeps its place until it has no claims left.
   */
  #choosesOwner(): LogConsumer | undefined {
    const covers = ({ patterns }: LogConsumer): boolean =>
      this.#newest.every((pattern) => patterns.includes(pattern))
    if (this.#owner !== undefined && covers(this.#owner)) return this.#owner
    const better = [...this.#consumers].find(covers)
    if (this.#owner === undefined) this.#owner = better ?? [...this.#consumers][0]
    else if (better !== undefined) {
      if (this.#owner.claimed.size > 0) return undefined
      this.#owner = better
    }
    return this.#owner
  }

  /** Leaves work to a consumer that asks for its type. */
  #leave(work: Work): void {
    const { record, dueAtMs } = work
    if (this.#waiting.hasRoom(record.type)) {
      this.#waiting.add(work)
      return
    }
    this.#leftInDue = true
    if (dueAtMs === undefined) this.#schedule(work, record.publishedAtMs, 'parked')
    else this.#due.returned(dueAtMs, record.sequence)
  }

  #nextFromLog(): Work | undefined {
    for (;;) {
      const record = this.#reader.next()
      if (record === undefined) return undefined
      const work: Work = {
        record,
        attempt: 1,
        replay: 0,
        settled: false,
        begun: false,
        retryingInPlace: false,
      }
      if (record.sequence <= this.#recoverUntil) {
        const before = this.#host.engine.get('deliveries', [record.sequence, this.name])
        if (before !== undefined && before.held !== true) continue
        if (before !== undefined) work.attempt = before.attempts + 1
      }
      this.#window.add(work)
      const isDue = record.deliverAtMs === undefined || record.deliverAtMs <= this.#host.clock.now()
      if (!isDue) this.#schedule(work, record.deliverAtMs!, 'scheduled')
      else if (!this.#isAskedFor(record.type)) this.#schedule(work, record.publishedAtMs, 'parked')
      else return work
    }
  }

  /** Leaves an event to the `due` table. */
  #schedule(work: Work, wantedMs: number, kind: 'scheduled' | 'parked'): void {
    const { sequence, delayMs } = work.record
    const dueAtMs = this.dueTimeOf(sequence, wantedMs)
    this.#host.queue
      .run((draft) => {
        draft.put('due', [this.name, dueAtMs, sequence], {
          kind,
          attempt: work.attempt,
          replay: 0,
          ...(kind === 'scheduled' && delayMs !== undefined && { delayMs }),
        })
        draft.put('deliveries', [sequence, this.name], {
          status: 'pending',
          attempts: work.attempt - 1,
          replays: 0,
          updatedAtMs: draft.now,
          ...(kind === 'scheduled' && { nextAttemptAtMs: dueAtMs }),
        })
        draft.onFinish(this, () => draft.put('groups', this.name, this.entry()))
        draft.afterCommit.push(() => {
          work.settled = true
          this.wakeAt(dueAtMs, sequence)
        })
      })
      .catch(() => {
        // Not stored, so not scheduled: it stays in the window and comes back as ordinary work.
        this.#waiting.add(work)
        this.serve()
      })
  }

  /** Removes work that the group no longer wants. */
  #drop(dueAtMs: number, sequence: number): void {
    this.#changeDue((draft) => {
      draft.remove('due', [this.name, dueAtMs, sequence])
      draft.remove('deliveries', [sequence, this.name])
    })
  }

  #move(dueAtMs: number, sequence: number, entry: DueEntry, wantedMs: number): void {
    const toMs = this.dueTimeOf(sequence, wantedMs)
    this.#changeDue((draft) => {
      const delivery = this.#host.engine.get('deliveries', [sequence, this.name])
      if (this.isOut(dueAtMs, sequence) || delivery === undefined) return
      draft.remove('due', [this.name, dueAtMs, sequence])
      draft.put('due', [this.name, toMs, sequence], entry)
      draft.put('deliveries', [sequence, this.name], { ...delivery, nextAttemptAtMs: toMs })
      draft.afterCommit.push(() => this.wakeAt(toMs, sequence))
    })
  }

  #changeDue(change: (draft: LogDraft) => void): void {
    // One that is not stored is tried again at the next look at the entry.
    this.#host.queue.run(change).catch(() => {})
  }
}
