import { EventBusError } from '../errors.js'
import type { JsonValue } from '../event/cloud-event.js'
import type { RetentionOptions } from '../retention/retention-options.js'
import { assertDurability } from '../store/backend/assert-durability.js'
import { assertGroupClosed, startNotFound } from '../store/backend/group-lookup.js'
import type {
  AppendRequest,
  EventStore,
  GroupConsumer,
  GroupRequest,
  PublishResult,
  SharedEntry,
  StoreContext,
} from '../store/event-store.js'
import type {
  DeadLetterListQuery,
  DeadLetterPage,
  DeadLetterQuery,
  EraseQuery,
  EventPage,
  ListQuery,
  ReplayQuery,
  ReplayResult,
} from '../store/queries.js'
import type { StoreStats } from '../store/store-stats.js'
import type { Durability, EventDetails } from '../store/stored-event.js'
import { CommitQueue } from './commit/commit-queue.js'
import { Transaction } from './commit/transaction.js'
import { CrashedAttempts } from './group/crashed-attempts.js'
import { LogGroup } from './group/log-group.js'
import { OpenGroups } from './group/open-groups.js'
import { removeGroup } from './group/remove-group.js'
import type { LogAccess } from './log-access.js'
import { EMPTY_HEAD, type LogEngine, type LogHead } from './log-engine.js'
import { describeEvent } from './query/deliveries-of.js'
import { sequenceOf } from './query/event-lookup.js'
import { groupStats } from './query/group-stats.js'
import { listEvents } from './query/list-events.js'
import { rangesBetween } from './query/time-ranges.js'
import { LAST_STRING } from './query/value-index.js'
import { listDeadLetters, purgeDeadLetters, redriveDeadLetters } from './redelivery/dead-letters.js'
import { replayEvents } from './redelivery/replay-events.js'
import { eraseEvent } from './removal/erase-event.js'
import { Retention } from './removal/retention.js'
import { LogStates } from './state/log-states.js'

/** How a log store is made. */
export interface LogStoreSetup {
  openEngine(context: StoreContext): Promise<LogEngine>
  /** What publishes get that ask for nothing else. */
  durability: Durability
  retention: RetentionOptions
  /** False when everything goes with the process. */
  durable: boolean
}

/** The bus's promises on ordered tables with atomic commits: the memory and the local store. */
export class LogStore implements EventStore {
  /** The log has one commit at a time. */
  readonly concurrentAppends = 1
  readonly states = new LogStates(() => this.#access())
  readonly #setup: LogStoreSetup
  #context!: StoreContext
  #engine!: LogEngine
  #queue!: CommitQueue
  #head: LogHead = EMPTY_HEAD
  #hasErased = false
  #closed = false
  #retention!: Retention
  #crashed!: CrashedAttempts
  readonly #groups = new OpenGroups()
  readonly #groupOf = (name: string): LogGroup | undefined => this.#groups.get(name)

  constructor(setup: LogStoreSetup) {
    this.#setup = setup
  }

  async open(context: StoreContext): Promise<void> {
    this.#context = context
    this.#engine = await this.#setup.openEngine(context)
    this.#head = this.#engine.get('head', 'head') ?? this.#head
    this.#queue = new CommitQueue(
      this.#engine,
      () => new Transaction(this.#engine, this.#head, context.clock.now()),
      (transaction) => this.#committed(transaction),
    )
    this.#crashed = new CrashedAttempts(this.#engine)
    this.#retention = new Retention(
      {
        engine: this.#engine,
        queue: this.#queue,
        clock: context.clock,
        head: () => this.#head,
        settledUntil: () => this.#settledUntil(),
      },
      this.#setup.retention,
    )
    if (!this.#engine.readOnly) this.#retention.enforce()
    context.onConnected()
  }

  async append(
    events: readonly AppendRequest[],
    durability: Durability = this.#setup.durability,
  ): Promise<PublishResult[]> {
    this.#assertWritable()
    const available = this.#setup.durable ? 'disk' : 'memory'
    assertDurability(durability, available, 'use localStore for more')
    const results = await this.#queue.run((transaction) =>
      events.map((event) => transaction.append(event)),
    )
    if (durability === 'disk' && this.#setup.durability !== 'disk') await this.#engine.sync()
    return results
  }

  async get(id: string, source?: string): Promise<EventDetails | undefined> {
    this.#assertOpen()
    const sequence = sequenceOf(this.#engine, { id, source })
    const record = sequence === undefined ? undefined : this.#engine.get('events', sequence)
    return record === undefined ? undefined : describeEvent(this.#engine, record, this.#groupOf)
  }

  async list(query: ListQuery): Promise<EventPage> {
    this.#assertOpen()
    return listEvents(this.#engine, this.#currentHead(), query, this.#groupOf)
  }

  async openGroup(request: GroupRequest): Promise<GroupConsumer> {
    this.#assertWritable()
    const opened = this.#groups.get(request.name)
    const group = opened ?? this.#openGroup(request)
    const consumer = group.join(request.patterns)
    await this.#queue.run((transaction) => transaction.put('groups', group.name, group.entry()))
    return consumer
  }

  async removeGroup(name: string): Promise<boolean> {
    this.#assertWritable()
    assertGroupClosed(name, this.#groups.has(name))
    return removeGroup(this.#access(), name)
  }

  async replay(query: ReplayQuery): Promise<ReplayResult> {
    this.#assertWritable()
    return replayEvents(this.#access(), query)
  }

  async erase(query: EraseQuery): Promise<boolean> {
    this.#assertWritable()
    const erased = await eraseEvent(this.#access(), query)
    this.#hasErased ||= erased
    return erased
  }

  async listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    this.#assertOpen()
    return listDeadLetters(this.#engine, query)
  }

  async redriveDeadLetters(query: DeadLetterQuery): Promise<number> {
    this.#assertWritable()
    return redriveDeadLetters(this.#access(), query)
  }

  async purgeDeadLetters(query: DeadLetterQuery): Promise<number> {
    this.#assertWritable()
    return purgeDeadLetters(this.#access(), query)
  }

  async readShared(key: string): Promise<SharedEntry | undefined> {
    this.#assertOpen()
    return this.#engine.get('shared', key)
  }

  async writeShared(key: string, value: JsonValue, revision: number): Promise<boolean> {
    this.#assertWritable()
    return this.#queue.run((transaction) => transaction.share(key, value, revision))
  }

  async getStats(): Promise<StoreStats> {
    this.#assertOpen()
    const head = this.#currentHead()
    return {
      backend: this.#engine.backend,
      connected: !this.#closed,
      durability: this.#setup.durability,
      deduplication: 'as long as the event is stored',
      events: head.events,
      bytes: head.bytes,
      groups: groupStats(this.#engine, head, this.#groupOf),
      removed: { ...this.#retention.removed },
      details: {
        ...this.#engine.describe(),
        commits: this.#queue.commits,
        operationsWaiting: this.#queue.waiting,
      },
    }
  }

  async close(): Promise<void> {
    if (this.#closed || this.#engine === undefined) return
    await this.#retention.close()
    await this.#queue.idle()
    this.#closed = true
    this.#saveRunning()
    await this.#engine.close()
  }

  #committed(transaction: Transaction): void {
    this.#head = transaction.head
    // Groups hear of new events first: how far they have got is asked next.
    if (transaction.records.length > 0) this.#groups.offer(transaction.records)
    this.#retention.changed(transaction.lowestChanged)
    this.#retention.enforce()
  }

  #saveRunning(): void {
    const running = [...this.#groups.all()].flatMap((group) => [...group.runningEntries()])
    // An event that is yet to be claimed again keeps its count if this process dies first.
    try {
      this.#engine.saveRunning([...running, ...this.#crashed.left])
    } catch (error) {
      // On a full disk a crash may go uncounted; that is no reason to stop working.
      this.#context.onError(error)
    }
  }

  #settledUntil(): number {
    let settled = this.#head.last
    for (const { key, value } of this.#engine.range('groups', { start: '', end: LAST_STRING })) {
      settled = Math.min(settled, this.#groups.get(key)?.floor ?? value.floor)
    }
    return settled
  }

  #openGroup(request: GroupRequest): LogGroup {
    const known = this.#engine.get('groups', request.name)
    const startAfter = known?.startAfter ?? this.#resolveStart(request)
    const entry = { patterns: [...request.patterns], startAfter, floor: known?.floor ?? startAfter }
    const host = {
      engine: this.#engine,
      queue: this.#queue,
      clock: this.#context.clock,
      last: () => this.#head.last,
      hasErased: () => this.#hasErased,
      attemptsChanged: () => this.#saveRunning(),
      patternsChanged: (changed: LogGroup, before: readonly string[]) =>
        this.#groupChanged(changed, before),
      closed: (closed: LogGroup) => this.#groups.remove(closed),
      takeCrashedAttempt: (name: string, sequence: number) => this.#crashed.take(name, sequence),
    }
    const group = new LogGroup(host, request, entry)
    this.#groups.add(group)
    return group
  }

  #groupChanged(group: LogGroup, before: readonly string[]): void {
    this.#groups.changed(group, before)
    this.#queue
      .run((transaction) => transaction.put('groups', group.name, group.entry()))
      .catch((error: unknown) => this.#context.onError(error))
  }

  #resolveStart({ name, start }: GroupRequest): number {
    if (start === 'beginning') return this.#head.first - 1
    if (start === 'now') return this.#head.last
    if ('time' in start) {
      const [range] = rangesBetween(this.#engine, this.#head, { since: start.time })
      return range === undefined ? this.#head.last : range.from - 1
    }
    const sequence = sequenceOf(this.#engine, start)
    if (sequence !== undefined) return sequence - 1
    throw startNotFound(name, start.id)
  }

  #access(): LogAccess {
    return {
      engine: this.#engine,
      queue: this.#queue,
      head: this.#currentHead(),
      groupOf: this.#groupOf,
    }
  }

  #currentHead(): LogHead {
    // Another process writes what a reader has opened.
    return this.#engine.readOnly ? (this.#engine.get('head', 'head') ?? this.#head) : this.#head
  }

  #assertOpen(): void {
    if (this.#closed) throw new EventBusError('CLOSED', 'the store was closed')
  }

  #assertWritable(): void {
    this.#assertOpen()
    if (!this.#engine.readOnly) return
    throw new EventBusError(
      'READ_ONLY',
      'this store was opened with readOnly: it can list and get; open it without readOnly in the one process that writes',
    )
  }
}
