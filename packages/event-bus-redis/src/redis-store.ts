import { createHash } from 'node:crypto'
import {
  type AppendRequest,
  type DeadLetterListQuery,
  type DeadLetterPage,
  type DeadLetterQuery,
  type Durability,
  EventBusError,
  type EventDetails,
  type EventPage,
  type EventStore,
  type GroupConsumer,
  type GroupRequest,
  type ListQuery,
  type PublishResult,
  parseOptions,
  type ReplayQuery,
  type ReplayResult,
  RetentionSweep,
  type StoreContext,
  type StoreStats,
} from '@nexus/event-bus'
import { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { Redis } from 'ioredis'
import { createConnection } from './connection/connection.js'
import { readDurability } from './connection/durability.js'
import { RedisReader } from './connection/reader.js'
import { answered, redactUrl, unavailable } from './connection/request.js'
import { RedisGroup } from './group/group.js'
import {
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  redisStoreSchema,
} from './options.js'
import { RedisDeadLetters } from './query/dead-letters.js'
import { RedisEvents } from './query/events.js'
import { RedisQuery } from './query/query.js'
import { APPEND } from './scripts/append.js'
import { END_LETTERS, FILL_GROUP, OPEN_GROUP, REMOVE_GROUP, REPLAY } from './scripts/groups.js'
import { RETAIN } from './scripts/retain.js'

/**
 * Keeps events in a Redis server (6.2 or later) that several runtimes share.
 *
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function redisStore(options: RedisStoreOptions = {}): EventStore {
  return new RedisStore(parseOptions(redisStoreSchema, options, 'redisStore'))
}

/** Events handled by one script call of a long operation, so that the server stays responsive. */
const CHUNK = 500
/** How often the silent connection is asked whether it is still there. */
const WATCH_MS = 10_000
const STRENGTH: Record<Durability, number> = { memory: 0, os: 1, disk: 2 }

class RedisStore implements EventStore {
  /** One on its way while the server works on another. */
  readonly concurrentAppends = 2
  readonly #options: ResolvedRedisStoreOptions
  readonly #commands: Redis
  /** Gets the wake-up calls; a connection in subscriber mode can do nothing else. */
  readonly #wakeups: Redis
  readonly #prefix: string
  readonly #query: RedisQuery
  readonly #deadLetters: RedisDeadLetters
  readonly #groups = new Set<RedisGroup>()
  readonly #digests = new Map<string, string>()
  #durability: Durability = 'memory'
  /** The last figures the server gave. */
  #figures: Pick<StoreStats, 'events' | 'bytes' | 'groups'> = { events: 0, bytes: 0, groups: [] }
  #guard: ClaimGuard | undefined
  #retention: RetentionSweep | undefined
  #watchdog: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ResolvedRedisStoreOptions) {
    this.#options = options
    this.#prefix = `${options.prefix}:{bus}`
    this.#commands = createConnection(options)
    this.#wakeups = createConnection(options, { resubscribe: true })
    const reader = new RedisReader(this.#prefix, (request) => this.#ask(request(this.#commands)))
    const events = new RedisEvents(reader)
    this.#query = new RedisQuery(reader, events)
    this.#deadLetters = new RedisDeadLetters(reader, events)
  }

  async open(context: StoreContext): Promise<void> {
    try {
      await Promise.all([this.#commands.connect(), this.#wakeups.connect()])
      await this.#wakeups.subscribe(`${this.#prefix}:wake`)
    } catch (cause) {
      this.#commands.disconnect()
      this.#wakeups.disconnect()
      throw unavailable(this.#options.url, cause)
    }
    this.#wakeups.on('message', (_, names: string) => this.#wake(names.split(',')))
    // Calls that came while the connection was away are lost: everybody looks.
    this.#wakeups.on('ready', () => this.#wake(undefined))
    this.#commands.on('close', () => {
      if (!this.#closed) context.onDisconnected(`lost ${redactUrl(this.#options.url)}`)
    })
    this.#commands.on('ready', () => context.onConnected())
    this.#watchdog = setInterval(() => this.#checkWakeups(), WATCH_MS).unref()
    this.#durability = this.#options.serverDurability ?? (await readDurability(this.#commands))
    const { url, tls, requestTimeoutMs } = this.#options
    this.#guard = new ClaimGuard(
      new URL('../dist/claim-guard-worker.js', import.meta.url),
      { url, tls, requestTimeoutMs, prefix: this.#prefix },
      context.onError,
    )
    this.#retention = this.#openRetention(context)
    context.onConnected()
  }

  async append(
    events: readonly AppendRequest[],
    durability: Durability = this.#durability,
  ): Promise<PublishResult[]> {
    if (STRENGTH[durability] > STRENGTH[this.#durability]) {
      throw new EventBusError(
        'INVALID_OPTIONS',
        `durability: expected at most ${this.#durability}, which is what this server's settings give, got ${durability}; set appendonly yes, and appendfsync always for disk`,
        { details: { durability, available: this.#durability } },
      )
    }
    const args = events.flatMap(({ event, json, deliverAtMs }) => [
      event.id,
      event.type,
      event.source,
      json,
      deliverAtMs ?? 0,
    ])
    const answers = (await this.#run(APPEND, args)) as [string | number, number][]
    this.#retention?.nudge()
    return answers.map(([sequence, duplicate], i) => ({
      id: events[i]!.event.id,
      duplicate: duplicate === 1,
      sequence: Number(sequence),
    }))
  }

  get(id: string): Promise<EventDetails | undefined> {
    return this.#query.get(id)
  }

  list(query: ListQuery): Promise<EventPage> {
    return this.#query.list(query)
  }

  async openGroup(request: GroupRequest): Promise<GroupConsumer> {
    const start = await this.#query.startAfter(request)
    const filling = await this.#run(OPEN_GROUP, [
      request.name,
      JSON.stringify(request.patterns),
      start,
    ])
    if (filling === 1) while ((await this.#run(FILL_GROUP, [request.name, CHUNK])) === 1);
    const group = new RedisGroup(request, (script, args) => this.#run(script, args), {
      guard: this.#guard!,
      onSettled: () => this.#retention?.nudge(),
      onClose: () => this.#groups.delete(group),
    })
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
    return (await this.#run(REMOVE_GROUP, [name])) === 1
  }

  async replay(query: ReplayQuery): Promise<ReplayResult> {
    const groups = await this.#query.groupsNamed(query.groups)
    const result: ReplayResult = { events: 0, deliveries: 0 }
    for await (const sequences of this.#query.sequencesToReplay(query, CHUNK)) {
      const only = query.groups === undefined ? '' : JSON.stringify(groups)
      const [events, deliveries] = (await this.#run(REPLAY, [only, ...sequences])) as [
        number,
        number,
      ]
      result.events += events
      result.deliveries += deliveries
    }
    return result
  }

  listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    return this.#deadLetters.list(query)
  }

  redriveDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#endLetters(query, true)
  }

  purgeDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#endLetters(query, false)
  }

  async getStats(): Promise<StoreStats> {
    const connected = await this.#refreshFigures()
    return {
      backend: 'redis',
      connected,
      durability: this.#durability,
      deduplication: 'as long as the event is stored',
      ...this.#figures,
      removed: { ...(this.#retention?.removed ?? { events: 0, bytes: 0 }) },
      details: {
        server: redactUrl(this.#options.url),
        prefix: this.#options.prefix,
        requestTimeoutMs: this.#options.requestTimeoutMs,
        retention: { ...this.#options.retention },
      },
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#retention?.close()
    await this.#guard?.close()
    this.#closed = true
    clearInterval(this.#watchdog)
    this.#commands.disconnect()
    this.#wakeups.disconnect()
  }

  /** Whether the server answered; a server that is away is not waited for. */
  async #refreshFigures(): Promise<boolean> {
    try {
      this.#figures = await this.#query.stats()
      return true
    } catch (error) {
      if (error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE') return false
      throw error
    }
  }

  #openRetention({ clock, onError }: StoreContext): RetentionSweep | undefined {
    const { maxAgeMs, maxEvents, maxBytes } = this.#options.retention
    const limits = [maxAgeMs, maxEvents, maxBytes]
    if (limits.every((limit) => limit === undefined)) return undefined
    const args = [...limits.map((limit) => limit ?? ''), CHUNK]
    const retention = new RetentionSweep(
      clock,
      async () => {
        const [events, bytes, nextMs] = (await this.#run(RETAIN, args)) as [number, number, number]
        return { events, bytes, nextMs: nextMs < 0 ? undefined : nextMs }
      },
      onError,
    )
    retention.nudge()
    return retention
  }

  /** The wake-up connection sends nothing by itself, so it would not notice that nobody is there. */
  #checkWakeups(): void {
    if (this.#wakeups.status !== 'ready') return
    const { url, requestTimeoutMs } = this.#options
    // A connection that does not answer is made anew, and then everybody looks for work.
    answered(this.#wakeups, this.#wakeups.ping(), url, requestTimeoutMs).catch(() => {})
  }

  #wake(names: readonly string[] | undefined): void {
    for (const group of this.#groups) {
      if (names === undefined || names.includes(group.name)) group.wake()
    }
  }

  async #endLetters(query: DeadLetterQuery, redrive: boolean): Promise<number> {
    let count = 0
    for await (const [group, sequences] of this.#deadLetters.sequences(query, CHUNK)) {
      const ended = await this.#run(END_LETTERS, [group, redrive ? 1 : 0, ...sequences])
      count += Number(ended)
    }
    return count
  }

  async #run(script: string, args: readonly (string | number)[]): Promise<unknown> {
    let digest = this.#digests.get(script)
    if (digest === undefined) {
      digest = createHash('sha1').update(script).digest('hex')
      this.#digests.set(script, digest)
    }
    try {
      return await this.#ask(this.#commands.evalsha(digest, 1, this.#prefix, ...args))
    } catch (error) {
      // A server that was restarted does not know the script yet.
      if (!/NOSCRIPT/.test((error as Error).message)) throw error
      return this.#ask(this.#commands.eval(script, 1, this.#prefix, ...args))
    }
  }

  #ask<T>(request: Promise<T>): Promise<T> {
    if (this.#closed) throw new EventBusError('CLOSED', 'the store was closed')
    const { url, requestTimeoutMs } = this.#options
    return answered(this.#commands, request, url, requestTimeoutMs)
  }
}
