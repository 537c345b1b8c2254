import {
  type AppendRequest,
  type DeadLetterListQuery,
  type DeadLetterPage,
  type DeadLetterQuery,
  type Durability,
  type EraseQuery,
  EventBusError,
  type EventDetails,
  type EventPage,
  type EventStore,
  type GroupConsumer,
  type GroupRequest,
  type JsonValue,
  type ListQuery,
  type PublishResult,
  parseOptions,
  type ReplayQuery,
  type ReplayResult,
  RetentionSweep,
  type SharedEntry,
  type StoreContext,
  type StoreStats,
} from '@nexus/event-bus'
import { ClaimGuard } from '@nexus/event-bus/claim-guard'
import { RememberedFigures } from '@nexus/event-bus/store'
import { RedisReader } from './connection/reader.js'
import { RedisServer } from './connection/redis-server.js'
import { Attendance } from './group/attendance.js'
import { RedisGroup } from './group/group.js'
import {
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  redisStoreSchema,
} from './options.js'
import { RedisDeadLetters } from './query/dead-letters.js'
import { RedisEvents } from './query/events.js'
import { RedisQuery } from './query/query.js'
import { envelopeOf } from './query/stored-event.js'
import { APPEND } from './scripts/append.js'
import { ERASE } from './scripts/erase.js'
import { PURGE, REDRIVE, REMOVE_GROUP, REPLAY } from './scripts/groups.js'
import { RETAIN } from './scripts/retain.js'
import { WRITE_SHARED } from './scripts/write-shared.js'
import { RedisStates } from './state/redis-states.js'

/**
 * Stores events in a Redis server (7.0 or later, no cluster), which several runtimes share.
 *
 * @example
 * ```ts
 * const bus = await EventBus.open({ store: redisStore({ url: 'redis://127.0.0.1:6379', prefix: 'shop' }) })
 * ```
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function redisStore(options: RedisStoreOptions = {}): EventStore {
  return new RedisStore(parseOptions(redisStoreSchema, options, 'redisStore'))
}

/** Events handled by one script call of a long operation, so that the server stays responsive. */
const CHUNK = 500
/** A record is stored with the rest of its delivery: the error and its stack, and the numbers. */
const BESIDE_RECORD_BYTES = 64 * 1024
const STRENGTH: Record<Durability, number> = { memory: 0, os: 1, disk: 2 }

class RedisStore implements EventStore {
  /** One on its way while the server works on another. */
  readonly concurrentAppends = 2
  readonly isShared = true
  readonly #options: ResolvedRedisStoreOptions
  readonly #server: RedisServer
  readonly #query: RedisQuery
  readonly #deadLetters: RedisDeadLetters
  readonly states: RedisStates
  readonly #groups = new Set<RedisGroup>()
  readonly #figures = new RememberedFigures()
  #attendance: Attendance | undefined
  #guard: ClaimGuard | undefined
  #retention: RetentionSweep | undefined
  #closed = false

  constructor(options: ResolvedRedisStoreOptions) {
    this.#options = options
    this.#server = new RedisServer(options)
    const reader = new RedisReader(this.#server.prefix, (request) => this.#server.ask(request))
    const events = new RedisEvents(reader)
    this.#query = new RedisQuery(reader, events)
    this.#deadLetters = new RedisDeadLetters(reader, events)
    this.states = new RedisStates(reader, (script, args) => this.#server.run(script, args))
  }

  async open(context: StoreContext): Promise<void> {
    const attendance = new Attendance(this.#server, {
      groups: () => this.#groups,
      onEmptied: context.onEmptied,
      onRepaired: context.onRepaired,
      onError: context.onError,
    })
    await this.#server.connect({
      onConnected: context.onConnected,
      onDisconnected: context.onDisconnected,
      onReady: () => void attendance.attend(),
      onWake: (groups) => this.#wake(groups),
      onError: context.onError,
    })
    this.#attendance = attendance
    await attendance.start()
    const { url, tls, requestTimeoutMs } = this.#options
    const { prefix, process } = this.#server
    this.#guard = new ClaimGuard(
      new URL('../dist/claim-guard-worker.js', import.meta.url),
      { url, tls, requestTimeoutMs, prefix, process },
      context.onError,
    )
    this.#retention = this.#openRetention(context)
  }

  /** Room is left for what is written beside a record. */
  get maxRecordBytes(): number {
    return this.#server.maxValueBytes - BESIDE_RECORD_BYTES
  }

  /** The server closes the connection when a value is too large, and would do so each time. */
  checkEvent({ event: { id }, json }: AppendRequest): void {
    const { maxValueBytes } = this.#server
    if (json.length * 3 <= maxValueBytes || Buffer.byteLength(json) <= maxValueBytes) return
    throw new EventBusError(
      'EVENT_TOO_LARGE',
      `event ${id}: expected at most ${maxValueBytes} bytes of JSON, which is what proto-max-bulk-len of this server allows, got ${Buffer.byteLength(json)}`,
      { details: { id, maxValueBytes } },
    )
  }

  async append(
    events: readonly AppendRequest[],
    durability: Durability = this.#server.durability,
  ): Promise<PublishResult[]> {
    const available = this.#server.durability
    if (STRENGTH[durability] > STRENGTH[available]) {
      throw new EventBusError(
        'INVALID_OPTIONS',
        `durability: expected at most ${available}, which is what this server's settings give, got ${durability}; set appendonly yes, and appendfsync always for disk`,
        { details: { durability, available } },
      )
    }
    const args = events.flatMap(({ event, json, deliverAtMs, delayMs }) => [
      event.id,
      event.type,
      event.source,
      json,
      deliverAtMs ?? 0,
      delayMs ?? 0,
    ])
    const answers = (await this.#server.run(APPEND, args)) as [string | number, number][]
    this.#retention?.nudge()
    return answers.map(([sequence, duplicate], i) => ({
      id: events[i]!.event.id,
      duplicate: duplicate === 1,
      sequence: Number(sequence),
    }))
  }

  get(id: string, source?: string): Promise<EventDetails | undefined> {
    return this.#query.get(id, source)
  }

  list(query: ListQuery): Promise<EventPage> {
    return this.#query.list(query)
  }

  async openGroup(request: GroupRequest): Promise<GroupConsumer> {
    const startAfter = await this.#query.startAfter(request)
    const group = new RedisGroup(request, (script, args) => this.#server.run(script, args), {
      guard: this.#guard!,
      onSettled: () => this.#retention?.nudge(),
      onLost: (keys) => this.#attendance?.lose(keys),
      onClose: () => this.#groups.delete(group),
    })
    await group.open(startAfter)
    this.#groups.add(group)
    return group
  }

  async removeGroup(name: string): Promise<boolean> {
    if ([...this.#groups].some((group) => group.name === name)) {
      throw new EventBusError(
        'GROUP_CONFLICT',
        `group ${name}: expected no open subscription, close it before removing the group`,
        { details: { group: name } },
      )
    }
    return (await this.#server.run(REMOVE_GROUP, [name])) === 1
  }

  async replay(query: ReplayQuery): Promise<ReplayResult> {
    const groups = await this.#query.groupsNamed(query.groups)
    const result: ReplayResult = { events: 0, deliveries: 0 }
    for await (const sequences of this.#query.sequencesToReplay(query, CHUNK)) {
      const only = query.groups === undefined ? '' : JSON.stringify(groups)
      const [events, deliveries] = (await this.#server.run(REPLAY, [only, ...sequences])) as [
        number,
        number,
      ]
      result.events += events
      result.deliveries += deliveries
    }
    return result
  }

  async erase({ id, source, reason }: EraseQuery): Promise<boolean> {
    const event = await this.#query.event(id, source)
    if (event === undefined) return false
    const json = JSON.stringify(envelopeOf(event.event))
    const why = reason === undefined ? '' : JSON.stringify(reason)
    const args = [event.sequence, id, event.event.source, json, why]
    return (await this.#server.run(ERASE, args)) === 1
  }

  listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    return this.#deadLetters.list(query)
  }

  redriveDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#endLetters(query, REDRIVE)
  }

  purgeDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#endLetters(query, PURGE)
  }

  async readShared(key: string): Promise<SharedEntry | undefined> {
    const found = await this.#server.ask((redis) =>
      redis.hget(`${this.#server.prefix}:shared`, key),
    )
    if (found === null) return undefined
    const space = found.indexOf(' ')
    return { value: JSON.parse(found.slice(space + 1)), revision: Number(found.slice(0, space)) }
  }

  async writeShared(key: string, value: JsonValue, revision: number): Promise<boolean> {
    const args = [key, JSON.stringify(value), revision]
    return (await this.#server.run(WRITE_SHARED, args)) === 1
  }

  async getStats(): Promise<StoreStats> {
    const connected = await this.#figures.refresh(() => this.#query.stats())
    return {
      backend: 'redis',
      connected,
      durability: this.#server.durability,
      deduplication: 'as long as the event is stored',
      ...this.#figures.last,
      removed: { ...(this.#retention?.removed ?? { events: 0, bytes: 0 }) },
      details: {
        server: this.#server.address,
        prefix: this.#options.prefix,
        requestTimeoutMs: this.#options.requestTimeoutMs,
        retention: { ...this.#options.retention },
        losses: this.#attendance?.losses ?? 0,
        lastLossAt: this.#attendance?.lastLossAt ?? null,
      },
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#retention?.close()
    await this.#guard?.close()
    await this.#attendance?.close()
    this.#server.close()
  }

  #openRetention({ clock, onError }: StoreContext): RetentionSweep | undefined {
    const { maxAgeMs, maxEvents, maxBytes } = this.#options.retention
    const limits = [maxAgeMs, maxEvents, maxBytes]
    if (limits.every((limit) => limit === undefined)) return undefined
    const args = [...limits.map((limit) => limit ?? ''), CHUNK]
    const retention = new RetentionSweep(
      clock,
      async () => {
        const [events, bytes, nextMs] = (await this.#server.run(RETAIN, args)) as [
          number,
          number,
          number,
        ]
        return { events, bytes, nextMs: nextMs < 0 ? undefined : nextMs }
      },
      onError,
    )
    retention.nudge()
    return retention
  }

  #wake(names: readonly string[] | undefined): void {
    for (const group of this.#groups) {
      if (names === undefined || names.includes(group.name)) group.wake()
    }
  }

  async #endLetters(query: DeadLetterQuery, script: string): Promise<number> {
    let count = 0
    for await (const [group, sequences] of this.#deadLetters.sequences(query, CHUNK)) {
      count += Number(await this.#server.run(script, [group, ...sequences]))
    }
    return count
  }
}
