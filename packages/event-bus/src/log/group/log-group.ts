import type { Clock } from '../../clock.js'
import { matchesPattern } from '../../event/pattern.js'
import { claimLost } from '../../store/backend/claim-lost.js'
import {
  type Claim,
  emittedBy,
  type GroupRequest,
  type PublishResult,
  type Settlement,
} from '../../store/event-store.js'
import type { GroupStats } from '../../store/store-stats.js'
import type { CommitQueue } from '../commit/commit-queue.js'
import type { Transaction } from '../commit/transaction.js'
import type { DueEntry, GroupEntry, LogEngine, LogRecord, RunningEntry } from '../log-engine.js'
import { DueSchedule } from './due-schedule.js'
import { LogClaim, type LogDelivery, newDelivery } from './log-claim.js'
import { LogConsumer } from './log-consumer.js'
import { LogReader } from './log-reader.js'
import { SettledWindow } from './settled-window.js'
import { WaitingDeliveries } from './waiting-deliveries.js'
import { writeSettlement, writeUnfinished } from './write-settlement.js'

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
  readonly #waiting = new WaitingDeliveries()
  /** LogDelivery was left in `due` because too much of its type was waiting. */
  #leftInDue = false
  /** A consumer has found what only others ask for. */
  #foundOfOthers = false
  readonly #claimed = new Set<LogDelivery>()
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
    // LogDelivery may be there that no consumer asked for until now.
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
    for (const delivery of this.#claimed) {
      if (delivery.record.sequence === sequence) return delivery.begun
    }
    return false
  }

  /** The attempts under way. */
  *runningEntries(): Generator<RunningEntry> {
    for (const { record, attempt, begun } of this.#claimed) {
      // What waits for its start has the attempts that ended with processes before: they must survive this one too.
      const started = begun ? attempt : attempt - 1
      if (started > 0) yield [this.name, record.sequence, started]
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
      this.#foundOfOthers = false
      for (const waiter of [...this.#waiters]) {
        const claims = this.#takeFor(waiter)
        if (claims === undefined || claims.length > 0) {
          this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
          served = true
          if (claims !== undefined) waiter.serve(claims)
        }
      }
      // In order, it goes first to one that may have been asked before.
      served ||= this.#ordered && this.#foundOfOthers
    }
  }

  /** The wanted due time, or a later one at which this event is not in `due` already. */
  dueTimeOf(sequence: number, wantedMs: number): number {
    return this.#due.freeTime(sequence, wantedMs)
  }

  /** Whether a delivery of `due` was handed out. */
  isOut(dueAtMs: number, sequence: number): boolean {
    return this.#due.isOut(dueAtMs, sequence)
  }

  /** LogDelivery was added to `due`. */
  wakeAt(dueAtMs: number, sequence: number): void {
    this.#due.added(dueAtMs, sequence)
  }

  async fetch(consumer: LogConsumer, limit: number, signal: AbortSignal): Promise<Claim[]> {
    if (signal.aborted) return []
    const claims = this.#take(consumer, limit)
    // Looking for deliveries of this consumer may have found those of others.
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
    for (const { delivery } of claims) delivery.begun = true
    this.#host.attemptsChanged()
  }

  async settle(claim: LogClaim, settlement: Settlement): Promise<PublishResult[]> {
    if (settlement.kind === 'release') {
      await this.#release(claim)
      return []
    }
    if (claim.delivery.claim !== claim) throw claimLost(this.name, claim.event)
    return this.#host.queue.run((transaction) => this.#settleIn(transaction, claim, settlement))
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
    transaction: Transaction,
    claim: LogClaim,
    settlement: Exclude<Settlement, { kind: 'release' }>,
  ): PublishResult[] {
    const { delivery } = claim
    const { sequence } = delivery.record
    const emitted = emittedBy(settlement).map((event) => transaction.append(event))
    const inPlace = settlement.kind === 'retry' && settlement.inPlace
    const attempts = delivery.begun ? delivery.attempt : delivery.attempt - 1
    const dueAtMs =
      settlement.kind === 'retry' && !inPlace
        ? this.dueTimeOf(sequence, transaction.now + settlement.delayMs)
        : undefined
    const record = this.#host.hasErased() ? this.#host.engine.get('events', sequence) : undefined
    writeSettlement(
      transaction,
      this.name,
      delivery,
      settlement,
      dueAtMs,
      record?.erased !== undefined,
    )
    transaction.onFinish(this, () => transaction.put('groups', this.name, this.entry()))
    transaction.afterCommit.push(() => {
      delivery.begun = false
      if (inPlace) {
        delivery.attempt = attempts + 1
        claim.attempt = delivery.attempt
        return
      }
      delivery.settled = true
      this.#forget(delivery)
      if (delivery.dueAtMs !== undefined) this.#due.returned(delivery.dueAtMs, sequence)
      if (dueAtMs !== undefined) this.wakeAt(dueAtMs, sequence)
    })
    return emitted
  }

  #forget(delivery: LogDelivery): void {
    this.#claimed.delete(delivery)
    delete delivery.claim
  }

  /** Gives a claim back. Once its handler was started the attempt counts, in the next process too. */
  async #release(claim: LogClaim): Promise<void> {
    const { delivery } = claim
    if (delivery.claim !== claim) return
    try {
      if (!delivery.begun) return
      await this.#host.queue.run((transaction) =>
        writeUnfinished(transaction, this.#host.engine, this.name, delivery),
      )
    } finally {
      this.#giveBack(delivery)
    }
  }

  #giveBack(delivery: LogDelivery): void {
    this.#forget(delivery)
    if (delivery.begun) delivery.attempt += 1
    delivery.begun = false
    this.#waiting.add(delivery)
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
      const delivery =
        this.#waiting.take((type) =>
          this.#ordered ? this.#isAskedFor(type) : consumer.wants(type),
        ) ??
        this.#due.next() ??
        this.#nextFromLog()
      if (delivery === undefined) break
      if (consumer.wants(delivery.record.type)) {
        claims.push(this.#claim(delivery, consumer))
        continue
      }
      this.#leave(delivery)
      this.#foundOfOthers = true
      // In order, nothing passes what another consumer has to handle.
      if (this.#ordered && this.#isAskedFor(delivery.record.type)) break
    }
    return claims
  }

  #claim(delivery: LogDelivery, consumer: LogConsumer): LogClaim {
    const { engine, hasErased, takeCrashedAttempt } = this.#host
    const { sequence } = delivery.record
    if (hasErased()) delivery.record = engine.get('events', sequence) ?? delivery.record
    delivery.attempt = Math.max(delivery.attempt, takeCrashedAttempt(this.name, sequence) + 1)
    const claim = new LogClaim(delivery)
    delivery.claim = claim
    this.#claimed.add(delivery)
    consumer.claimed.add(claim)
    return claim
  }

  /**
   * Who gets the events of an ordered group: one consumer at a time, one that asks for what comes next, and one with the
   * newest patterns if there is any. Another one keeps its place until it has no claims left.
   */
  #choosesOwner(): LogConsumer | undefined {
    const next = this.#waiting.oldestType((type) => this.#isAskedFor(type))
    const covers = (consumer: LogConsumer): boolean =>
      next === undefined
        ? this.#newest.every((pattern) => consumer.patterns.includes(pattern))
        : consumer.wants(next)
    if (this.#owner !== undefined && covers(this.#owner)) return this.#owner
    const better = [...this.#consumers].findLast(covers)
    if (this.#owner === undefined) this.#owner = better ?? [...this.#consumers][0]
    else if (better !== undefined) {
      if (this.#owner.claimed.size > 0) return undefined
      this.#owner = better
    }
    return this.#owner
  }

  /** Leaves a delivery to a consumer that asks for its type. */
  #leave(delivery: LogDelivery): void {
    const { record, dueAtMs } = delivery
    if (this.#waiting.hasRoom(record.type)) {
      this.#waiting.add(delivery)
      return
    }
    this.#leftInDue = true
    if (dueAtMs === undefined) this.#schedule(delivery, record.publishedAtMs, 'parked')
    else this.#due.returned(dueAtMs, record.sequence)
  }

  #nextFromLog(): LogDelivery | undefined {
    for (;;) {
      const record = this.#reader.next()
      if (record === undefined) return undefined
      const delivery = newDelivery(record, 1, 0)
      if (record.sequence <= this.#recoverUntil) {
        const before = this.#host.engine.get('deliveries', [record.sequence, this.name])
        if (before !== undefined && before.isUnfinished !== true) continue
        if (before !== undefined) delivery.attempt = before.attempts + 1
      }
      this.#window.add(delivery)
      const isDue = record.deliverAtMs === undefined || record.deliverAtMs <= this.#host.clock.now()
      if (!isDue) this.#schedule(delivery, record.deliverAtMs!, 'scheduled')
      else if (!this.#isAskedFor(record.type))
        this.#schedule(delivery, record.publishedAtMs, 'parked')
      else return delivery
    }
  }

  /** Leaves an event to the `due` table. */
  #schedule(delivery: LogDelivery, wantedMs: number, kind: 'scheduled' | 'parked'): void {
    const { sequence, delayMs } = delivery.record
    const dueAtMs = this.dueTimeOf(sequence, wantedMs)
    this.#host.queue
      .run((transaction) => {
        transaction.put('due', [this.name, dueAtMs, sequence], {
          kind,
          attempt: delivery.attempt,
          replay: 0,
          ...(kind === 'scheduled' && delayMs !== undefined && { delayMs }),
        })
        transaction.put('deliveries', [sequence, this.name], {
          status: 'pending',
          attempts: delivery.attempt - 1,
          replays: 0,
          updatedAtMs: transaction.now,
          ...(kind === 'scheduled' && { nextAttemptAtMs: dueAtMs }),
        })
        transaction.onFinish(this, () => transaction.put('groups', this.name, this.entry()))
        transaction.afterCommit.push(() => {
          delivery.settled = true
          this.wakeAt(dueAtMs, sequence)
        })
      })
      .catch(() => {
        // Not stored, so not scheduled: it stays in the window and is handed out like any other.
        this.#waiting.add(delivery)
        this.serve()
      })
  }

  /** Removes a delivery that the group no longer wants. */
  #drop(dueAtMs: number, sequence: number): void {
    void this.#changeDue((transaction) => {
      transaction.remove('due', [this.name, dueAtMs, sequence])
      transaction.remove('deliveries', [sequence, this.name])
    })
  }

  #move(dueAtMs: number, sequence: number, entry: DueEntry, wantedMs: number): void {
    const toMs = this.dueTimeOf(sequence, wantedMs)
    void this.#changeDue((transaction) => {
      const isThere = this.#host.engine.get('due', [this.name, dueAtMs, sequence]) !== undefined
      const stored = this.#host.engine.get('deliveries', [sequence, this.name])
      if (!isThere || stored === undefined) return
      transaction.remove('due', [this.name, dueAtMs, sequence])
      transaction.put('due', [this.name, toMs, sequence], entry)
      transaction.put('deliveries', [sequence, this.name], { ...stored, nextAttemptAtMs: toMs })
      transaction.afterCommit.push(() => this.wakeAt(toMs, sequence))
    }).finally(() => this.#due.returned(dueAtMs, sequence))
  }

  /** Ends when the change is stored, or cannot be: then it is tried again at the next look at the entry. */
  #changeDue(change: (transaction: Transaction) => void): Promise<void> {
    return this.#host.queue.run(change).catch(() => {})
  }
}
