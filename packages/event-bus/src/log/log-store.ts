import { EventBusError } from '../errors.js'
import { PatternIndex } from '../event/pattern.js'
import type { RetentionOptions } from '../retention/retention-options.js'
import type {
  AppendRequest,
  DeadLetterListQuery,
  DeadLetterPage,
  DeadLetterQuery,
  Durability,
  EraseQuery,
  EventDetails,
  EventPage,
  EventStore,
  GroupConsumer,
  GroupRequest,
  ListQuery,
  PublishResult,
  ReplayQuery,
  ReplayResult,
  StoreContext,
  StoreStats,
} from '../store/event-store.js'
import { CommitQueue } from './commit-queue.js'
import { eraseEvent } from './erase-event.js'
import { sequenceOf } from './event-lookup.js'
import type { LogAccess } from './log-access.js'
import { listDeadLetters, purgeDeadLetters, redriveDeadLetters } from './log-dead-letters.js'
import { LogDraft } from './log-draft.js'
import {
  EMPTY_HEAD,
  type LogEngine,
  type LogHead,
  type LogRecord,
  type RunningEntry,
} from './log-engine.js'
import { LogGroup } from './log-group.js'
import { describeEvent, listEvents } from './log-query.js'
import { replayEvents } from './log-replay.js'
import { LAST_STRING } from './postings.js'
import { removeGroup } from './remove-group.js'
import { Retention } from './retention.js'
import { rangesBetween } from './time-ranges.js'

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
  readonly #setup: LogStoreSetup
  #context!: StoreContext
  #engine!: LogEngine
  #queue!: CommitQueue
  #head: LogHead = EMPTY_HEAD
  #hasErased = false
  #closed = false
  #retention!: Retention
  /** Attempts that ended with the process before, until their events are claimed again. */
  readonly #crashed = new Map<string, RunningEntry>()
  readonly #groups = new Map<string, LogGroup>()
  readonly #routes = new PatternIndex<LogGroup>()
  /** Groups by event type, forgotten whenever a group comes or goes. */
  readonly #routeCache = new Map<string, LogGroup[]>()

  constructor(setup: LogStoreSetup) {
    this.#setup = setup
  }

  async open(context: StoreContext): Promise<void> {
    this.#context = context
    this.#engine = await this.#setup.openEngine(context)
    this.#head = this.#engine.get('head', 'head') ?? this.#head
    this.#queue = new CommitQueue(
      this.#engine,
      () => new LogDraft(this.#engine, this.#head, context.clock.now()),
      (draft) => this.#committed(draft),
    )
    for (const entry of this.#engine.loadRunning()) {
      const [group, sequence] = entry
      const status = this.#engine.get('deliveries', [sequence, group])?.status
      const ended = status === 'succeeded' || status === 'dead-lettered'
      if (!ended) this.#crashed.set(`${group} ${sequence}`, entry)
    }
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
    if (durability !== 'memory' && !this.#setup.durable) {
      throw new EventBusError(
        'INVALID_OPTIONS',
        `durability: expected memory, which is all the memory store has, got ${durability}; use localStore for more`,
        { details: { durability } },
      )
    }
    const results = await this.#queue.run((draft) => events.map((event) => draft.append(event)))
    if (durability === 'disk' && this.#setup.durability !== 'disk') await this.#engine.sync()
    return results
  }

  async get(id: string, source?: string): Promise<EventDetails | undefined> {
    this.#assertOpen()
    const sequence = sequenceOf(this.#engine, { id, source })
    const record = sequence === undefined ? undefined : this.#engine.get('events', sequence)
    return record === undefined
      ? undefined
      : describeEvent(this.#engine, record, (group) => this.#groups.get(group))
  }

  async list(query: ListQuery): Promise<EventPage> {
    this.#assertOpen()
    return listEvents(this.#engine, this.#currentHead(), query, (group) => this.#groups.get(group))
  }

  async openGroup(request: GroupRequest): Promise<GroupConsumer> {
    this.#assertWritable()
    const opened = this.#groups.get(request.name)
    const group = opened ?? this.#openGroup(request)
    const consumer = group.join(request.patterns)
    await this.#queue.run((draft) => draft.put('groups', group.name, group.entry()))
    return consumer
  }

  async removeGroup(name: string): Promise<boolean> {
    this.#assertWritable()
    if (this.#groups.has(name)) {
      throw new EventBusError(
        'GROUP_CONFLICT',
        `group ${name}: expected no open subscription, close it before removing the group`,
        { details: { group: name } },
      )
    }
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

  async getStats(): Promise<StoreStats> {
    this.#assertOpen()
    const head = this.#currentHead()
    const groups = []
    for (const { key: name, value } of this.#engine.range('groups', {
      start: '',
      end: LAST_STRING,
    })) {
      const dead = this.#engine.count('dead', {
        start: [name, 0],
        end: [name, Number.MAX_SAFE_INTEGER],
      })
      const scheduled = this.#engine.count('due', {
        start: [name, 0, 0],
        end: [name, Number.MAX_SAFE_INTEGER, 0],
      })
      groups.push(
        this.#groups.get(name)?.stats(dead, scheduled) ?? {
          group: name,
          patterns: value.patterns,
          running: 0,
          scheduled,
          deadLettered: dead,
          behind: head.last - value.floor,
        },
      )
    }
    return {
      backend: this.#engine.backend,
      connected: !this.#closed,
      durability: this.#setup.durability,
      deduplication: 'as long as the event is stored',
      events: head.events,
      bytes: head.bytes,
      groups,
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

  #committed(draft: LogDraft): void {
    this.#head = draft.head
    // Groups hear of new events first: how far they have got is asked next.
    if (draft.records.length > 0) this.#offer(draft.records)
    this.#retention.changed(draft.lowestChanged)
    this.#retention.enforce()
  }

  #offer(records: readonly LogRecord[]): void {
    const touched = new Set<LogGroup>()
    for (const record of records) {
      for (const group of this.#route(record.type)) {
        group.offer(record)
        touched.add(group)
      }
    }
    for (const group of touched) group.serve()
  }

  #saveRunning(): void {
    const running = [...this.#groups.values()].flatMap((group) => [...group.runningEntries()])
    // An event that is yet to be claimed again keeps its count if this process dies first.
    try {
      this.#engine.saveRunning([...running, ...this.#crashed.values()])
    } catch (error) {
      // On a full disk a crash may go uncounted; that is no reason to stop working.
      this.#context.onError(error)
    }
  }

  #takeCrashedAttempt(group: string, sequence: number): number {
    if (this.#crashed.size === 0) return 0
    const name = `${group} ${sequence}`
    const attempt = this.#crashed.get(name)?.[2] ?? 0
    this.#crashed.delete(name)
    return attempt
  }

  #settledUntil(): number {
    let settled = this.#head.last
    for (const { key, value } of this.#engine.range('groups', { start: '', end: LAST_STRING })) {
      settled = Math.min(settled, this.#groups.get(key)?.floor ?? value.floor)
    }
    return settled
  }

  #route(type: string): readonly LogGroup[] {
    let groups = this.#routeCache.get(type)
    if (groups === undefined) {
      // Types come from publishers: a flood of different ones must not fill the memory.
      if (this.#routeCache.size >= 10_000) this.#routeCache.clear()
      groups = [...this.#routes.match(type)]
      this.#routeCache.set(type, groups)
    }
    return groups
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
      closed: (closed: LogGroup) => this.#groupClosed(closed),
      takeCrashedAttempt: (name: string, sequence: number) =>
        this.#takeCrashedAttempt(name, sequence),
    }
    const group = new LogGroup(host, request, entry)
    this.#groups.set(group.name, group)
    this.#reroute(group, [])
    return group
  }

  /** A group wants other types than before, or was closed. */
  #reroute(group: LogGroup, before: readonly string[]): void {
    for (const pattern of before) this.#routes.remove(pattern, group)
    for (const pattern of group.patterns) this.#routes.add(pattern, group)
    this.#routeCache.clear()
  }

  #groupChanged(group: LogGroup, before: readonly string[]): void {
    this.#reroute(group, before)
    this.#queue
      .run((draft) => draft.put('groups', group.name, group.entry()))
      .catch((error: unknown) => this.#context.onError(error))
  }

  #groupClosed(group: LogGroup): void {
    this.#groups.delete(group.name)
    for (const pattern of group.patterns) this.#routes.remove(pattern, group)
    this.#routeCache.clear()
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
    throw new EventBusError(
      'NOT_FOUND',
      `group ${name}: expected the id of a stored event to start from, got ${start.id}`,
      { details: { group: name, id: start.id } },
    )
  }

  #access(): LogAccess {
    return {
      engine: this.#engine,
      queue: this.#queue,
      head: this.#currentHead(),
      groupOf: (name: string) => this.#groups.get(name),
    }
  }

  #currentHead(): LogHead {
    // Somebody else writes what a reader has opened.
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
