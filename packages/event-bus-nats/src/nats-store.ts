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
  type GroupStates,
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
import { isFull, redactServers, unavailable } from './connection/unavailable.js'
import { OpenGroups } from './group/open-groups.js'
import {
  type NatsStoreOptions,
  natsStoreSchema,
  type ResolvedNatsStoreOptions,
} from './nats-store-options.js'
import { readFigures } from './query/read-figures.js'
import { ServerRecovery } from './recovery/server-recovery.js'
import { openSession, type Session } from './session.js'
import { Names } from './streams/names.js'
import { Retention } from './streams/retention.js'

/**
 * Stores events in NATS JetStream (server 2.9 or later), which several runtimes share.
 *
 * @example
 * ```ts
 * const bus = await EventBus.open({ store: natsStore({ servers: ['nats://127.0.0.1:4222'], prefix: 'shop' }) })
 * ```
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function natsStore(options: NatsStoreOptions = {}): EventStore {
  return new NatsStore(parseOptions(natsStoreSchema, options, 'natsStore'))
}

/** The states of the session that is open by then, asked as all else is. */
function asking(
  states: () => GroupStates,
  ask: <T>(request: () => Promise<T>) => Promise<T>,
): GroupStates {
  return {
    get: (group, key) => ask(() => states().get(group, key)),
    put: (group, change) => ask(() => states().put(group, change)),
    list: (query) => ask(() => states().list(query)),
    count: (group, kind) => ask(() => states().count(group, kind)),
  }
}

const RECORD_ROOM_BYTES = 131_072

class NatsStore implements EventStore {
  /** JetStream takes each event by itself: there is nothing to gather for. */
  readonly concurrentAppends = Number.POSITIVE_INFINITY
  readonly isShared = true
  readonly states: GroupStates
  readonly #options: ResolvedNatsStoreOptions
  readonly #names: Names
  #session!: Session
  #context!: StoreContext
  #guard: ClaimGuard | undefined
  #retention: RetentionSweep | undefined
  #recovery: ServerRecovery | undefined
  #groups: OpenGroups | undefined
  #connected = false
  readonly #figures = new RememberedFigures()
  #closed = false

  constructor(options: ResolvedNatsStoreOptions) {
    this.#options = options
    this.#names = new Names(options.prefix)
    this.states = asking(
      () => this.#session.states,
      (request) => this.#ask(request),
    )
  }

  async open(context: StoreContext): Promise<void> {
    this.#context = context
    const { servers, token, credentials, tls, requestTimeoutMs } = this.#options
    this.#session = await openSession(this.#options, this.#names, context.onError)
    const { state, manager, redelivery, clock } = this.#session
    const recovery = new ServerRecovery({
      state,
      manager,
      redelivery,
      options: this.#options,
      groups: () => this.#groups ?? [],
      onEmptied: context.onEmptied,
      onRepaired: context.onRepaired,
      onLookFailed: (error) => this.#lookFailed(error),
    })
    this.#recovery = recovery
    this.#guard = new ClaimGuard(
      new URL('../dist/claim-guard-worker.js', import.meta.url),
      { servers, token, credentials, tls, requestTimeoutMs },
      context.onError,
    )
    this.#retention = this.#openRetention(context)
    this.#groups = new OpenGroups({
      session: this.#session,
      guard: this.#guard,
      isConnected: () => this.#connected,
      ask: (request) => this.#ask(request),
      emit: (events) => this.#emit(events),
      onRestored: (group) => recovery.consumersRestored(group),
      onSettled: () => this.#retention?.nudge(),
      // What a closed connection could not answer any more is no fault to report.
      onError: (error) => {
        if (!this.#closed) context.onError(unavailable(servers, error))
      },
    })
    this.#connected = true
    await this.#ask(() =>
      Promise.all([
        // A full server tells no time: this machine's clock has to do until there is room.
        clock.sync().catch((error: unknown) => {
          if (!isFull(error)) throw error
          context.onError(unavailable(servers, error))
        }),
        recovery.start(),
      ]),
    ).catch(async (error: unknown) => {
      await this.close()
      throw error
    })
    void this.#watchConnection()
    context.onConnected()
  }

  /** What goes beside a record into a message: an error with its stack. */
  get maxRecordBytes(): number {
    return this.#session.publisher.maxPayloadBytes - RECORD_ROOM_BYTES
  }

  checkEvent(event: AppendRequest): void {
    this.#session.appender.check(event)
  }

  async append(
    events: readonly AppendRequest[],
    durability: Durability = this.#options.serverDurability,
  ): Promise<PublishResult[]> {
    if (durability === 'disk' && this.#options.serverDurability !== 'disk') {
      throw new EventBusError(
        'INVALID_OPTIONS',
        'durability: expected at most os, since JetStream acks before it syncs, got disk; run the server with sync_interval: always and say so with serverDurability',
        { details: { durability, available: this.#options.serverDurability } },
      )
    }
    const results = await this.#ask(() => this.#session.appender.append(events))
    this.#retention?.nudge()
    return results
  }

  get(id: string, source?: string): Promise<EventDetails | undefined> {
    return this.#ask(() => this.#session.query.get(id, source))
  }

  list(query: ListQuery): Promise<EventPage> {
    return this.#ask(() => this.#session.query.list(query))
  }

  openGroup(request: GroupRequest): Promise<GroupConsumer> {
    return this.#ask(() => this.#groups!.open(request))
  }

  async removeGroup(name: string): Promise<boolean> {
    if (this.#groups?.has(name)) {
      throw new EventBusError(
        'GROUP_CONFLICT',
        `group ${name}: expected no open subscription, close it before removing the group`,
        { details: { group: name } },
      )
    }
    return this.#ask(() => this.#session.groups.remove(name))
  }

  replay(query: ReplayQuery): Promise<ReplayResult> {
    return this.#ask(() => this.#session.redeliveries.replay(query))
  }

  async erase({ id, source, reason }: EraseQuery): Promise<boolean> {
    return this.#ask(async () => {
      const events = await this.#session.lookup.findAll(id, source)
      for (const event of events) await this.#session.eraser.erase(event, reason)
      return events.length > 0
    })
  }

  listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    return this.#ask(() => this.#session.deadLetters.list(query))
  }

  redriveDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#ask(() => this.#session.redeliveries.redrive(query))
  }

  purgeDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#ask(() => this.#session.redeliveries.purge(query))
  }

  readShared(key: string): Promise<SharedEntry | undefined> {
    const { state } = this.#session
    return this.#ask(() => state.revised<JsonValue>(this.#names.shared(key)))
  }

  writeShared(key: string, value: JsonValue, revision: number): Promise<boolean> {
    const { state } = this.#session
    return this.#ask(
      async () => (await state.replace(this.#names.shared(key), value, revision)) !== undefined,
    )
  }

  async getStats(): Promise<StoreStats> {
    const connected = await this.#refreshFigures()
    return {
      backend: 'nats',
      connected,
      durability: this.#options.serverDurability,
      deduplication: 'as long as the event is stored',
      ...this.#figures.last,
      removed: { ...(this.#retention?.removed ?? { events: 0, bytes: 0 }) },
      details: {
        servers: redactServers(this.#options.servers),
        serverVersion: this.#session.connection.info?.version ?? null,
        atomicBatches: this.#session.appender.atomic,
        schedules: this.#session.redelivery.schedules,
        prefix: this.#options.prefix,
        replicas: this.#options.replicas,
        requestTimeoutMs: this.#options.requestTimeoutMs,
        retention: { ...this.#options.retention },
        restored: { ...(this.#recovery?.restored ?? { streams: 0, consumers: 0 }) },
      },
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#retention?.close()
    await this.#recovery?.close()
    await this.#guard?.close()
    this.#session?.clock.close()
    this.#groups?.close()
    this.#closed = true
    // Acks have no answer: the flush makes sure that the server has them.
    if (this.#connected) {
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise((resolve) => {
        timer = setTimeout(resolve, this.#options.requestTimeoutMs)
      })
      await Promise.race([this.#session.connection.flush().catch(() => {}), timeout])
      clearTimeout(timer)
    }
    await this.#session.connection.close()
    this.#session.publisher.close()
  }

  /** Whether the server answered; a server that is away is not waited for. */
  async #refreshFigures(): Promise<boolean> {
    if (!this.#connected && !this.#closed) return false
    const { state, events, manager } = this.#session
    return this.#figures.refresh(() => this.#ask(() => readFigures(state, events, manager)))
  }

  #openRetention({ clock, onError }: StoreContext): RetentionSweep | undefined {
    const { retention: limits } = this.#options
    const { state, events, index, manager, clock: serverClock } = this.#session
    if (Object.values(limits).every((limit) => limit === undefined)) return undefined
    const retention = new Retention(state, events, index, manager, limits, serverClock)
    const sweep = new RetentionSweep(clock, () => this.#ask(() => retention.sweep()), onError)
    sweep.nudge()
    return sweep
  }

  /** An event that the server will never take must not be sent again and again. */
  async #emit(events: readonly AppendRequest[]): Promise<PublishResult[]> {
    try {
      for (const event of events) this.checkEvent(event)
    } catch (cause) {
      throw new EventBusError(
        'SETTLEMENT_REFUSED',
        `emit: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      )
    }
    return this.append(events)
  }

  /** A server that is away is no news. */
  #lookFailed(error: unknown): void {
    if (this.#connected && !this.#closed) {
      this.#context.onError(unavailable(this.#options.servers, error))
    }
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#session.connection.status()) {
      if (this.#closed) return
      if (type === 'disconnect') {
        this.#connected = false
        this.#groups?.interrupt()
        this.#context.onDisconnected(`lost ${redactServers(this.#options.servers)}`)
      } else if (type === 'reconnect') {
        this.#connected = true
        this.#context.onConnected()
        void this.#reconnected()
      }
    }
  }

  /** The server may have come back empty, with another clock. */
  async #reconnected(): Promise<void> {
    await this.#recovery?.look()
    this.#session.clock.sync().catch((error: unknown) => this.#lookFailed(error))
    this.#groups?.renew()
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new EventBusError('CLOSED', 'the store was closed')
    try {
      return await request()
    } catch (error) {
      throw unavailable(this.#options.servers, error)
    }
  }
}
