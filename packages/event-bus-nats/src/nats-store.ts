import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
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
import { openConnection } from './connection/open-connection.js'
import { Publisher } from './connection/publisher.js'
import { ServerClock } from './connection/server-clock.js'
import { isFull, redactServers, unavailable } from './connection/unavailable.js'
import { Group, type GroupHost } from './group/group.js'
import { GroupConsumers } from './group/group-consumers.js'
import { Lease } from './group/lease.js'
import { CONFIRM_MS, keyOf } from './group/pattern-sets.js'
import { Puller } from './group/puller.js'
import { SettledBound } from './group/settled-bound.js'
import {
  type NatsStoreOptions,
  natsStoreSchema,
  type ResolvedNatsStoreOptions,
} from './nats-store-options.js'
import { DeadLetterQueries } from './query/dead-letter-queries.js'
import { Deliveries } from './query/deliveries.js'
import { EventLookup } from './query/event-lookup.js'
import { EventQuery } from './query/event-query.js'
import { readFigures } from './query/read-figures.js'
import { groupsNamed, replayedEvents } from './query/replayed-events.js'
import { addStreams, type ServerFeatures } from './streams/add-streams.js'
import { Appender } from './streams/appender.js'
import { Eraser } from './streams/eraser.js'
import { Events } from './streams/events.js'
import { forgetLostEvents } from './streams/forget-lost-events.js'
import { IdIndex } from './streams/id-index.js'
import { Names } from './streams/names.js'
import { Redelivery } from './streams/redelivery.js'
import { Retention } from './streams/retention.js'
import { type ServerLoss, ServerWatch } from './streams/server-watch.js'
import { type GroupState, groupsFor, State } from './streams/state.js'

/**
 * Keeps events in NATS JetStream (server 2.9 or later) that several runtimes share.
 *
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function natsStore(options: NatsStoreOptions = {}): EventStore {
  return new NatsStore(parseOptions(natsStoreSchema, options, 'natsStore'))
}

const RECORD_ROOM_BYTES = 131_072

class NatsStore implements EventStore {
  /** JetStream takes each event by itself: there is nothing to gather for. */
  readonly concurrentAppends = Number.POSITIVE_INFINITY
  readonly #options: ResolvedNatsStoreOptions
  readonly #names: Names
  readonly #groups = new Set<Group>()
  #connection!: NatsConnection
  #client!: JetStreamClient
  #manager!: JetStreamManager
  #publisher!: Publisher
  #state!: State
  #events!: Events
  #lookup!: EventLookup
  #query!: EventQuery
  #deadLetters!: DeadLetterQueries
  #eraser!: Eraser
  #context!: StoreContext
  #guard: ClaimGuard | undefined
  #retention: RetentionSweep | undefined
  #appender!: Appender
  #redelivery!: Redelivery
  #clock!: ServerClock
  #consumers!: GroupConsumers
  #watch!: ServerWatch
  #confirmTimer: NodeJS.Timeout | undefined
  /** What the server had lost and this process made again. */
  readonly #restored = { streams: 0, consumers: 0 }
  #connected = false
  /** The last figures the server gave. */
  #figures: Pick<StoreStats, 'events' | 'bytes' | 'groups'> = { events: 0, bytes: 0, groups: [] }
  #closed = false

  constructor(options: ResolvedNatsStoreOptions) {
    this.#options = options
    this.#names = new Names(options.prefix)
  }

  async open(context: StoreContext): Promise<void> {
    this.#context = context
    const { servers, token, credentials, tls, requestTimeoutMs: timeout } = this.#options
    this.#connection = await this.#ask(() => openConnection(this.#options))
    let features: ServerFeatures
    try {
      this.#manager = await jetstreamManager(this.#connection, { timeout })
      this.#client = jetstream(this.#connection, { timeout })
      features = await addStreams(this.#manager, this.#names, this.#options)
    } catch (cause) {
      await this.#connection.close()
      throw unavailable(this.#options.servers, cause)
    }
    this.#publisher = new Publisher(this.#connection, timeout)
    this.#clock = new ServerClock(
      this.#publisher,
      this.#manager,
      { stream: this.#names.lease, subject: this.#names.clock },
      context.onError,
    )
    this.#state = new State(this.#names, this.#publisher, this.#manager)
    const index = new IdIndex(this.#state)
    this.#events = new Events(this.#state, this.#manager)
    this.#appender = new Appender(
      this.#publisher,
      this.#names,
      index,
      this.#events,
      this.#clock,
      this.#options.atomicBatches && features.atomicBatches,
    )
    this.#redelivery = new Redelivery(this.#state, this.#publisher, this.#clock, features.schedules)
    this.#lookup = new EventLookup(this.#events, index)
    this.#query = new EventQuery({
      names: this.#names,
      manager: this.#manager,
      events: this.#events,
      lookup: this.#lookup,
      deliveries: new Deliveries(this.#state, this.#manager, this.#clock),
    })
    this.#deadLetters = new DeadLetterQueries(this.#state, this.#events, this.#lookup)
    this.#eraser = new Eraser({
      state: this.#state,
      index,
      redelivery: this.#redelivery,
      manager: this.#manager,
      clock: this.#clock,
    })
    this.#consumers = new GroupConsumers({
      state: this.#state,
      manager: this.#manager,
      clock: this.#clock,
      startAfter: (request) => this.#lookup.startAfter(request),
    })
    this.#watch = new ServerWatch(
      this.#manager,
      this.#names,
      (loss) => this.#restore(loss),
      (error) => this.#lookFailed(error),
    )
    this.#guard = new ClaimGuard(
      new URL('../dist/claim-guard-worker.js', import.meta.url),
      { servers, token, credentials, tls, requestTimeoutMs: timeout, leases: this.#names.lease },
      context.onError,
    )
    this.#retention = this.#openRetention(context, index)
    this.#connected = true
    await this.#ask(async () => {
      const until = await this.#state.lastSequence()
      await forgetLostEvents(this.#state, this.#manager, until)
      await Promise.all([
        // A full server tells no time: this machine's clock has to do until there is room.
        this.#clock.sync().catch((error: unknown) => {
          if (!isFull(error)) throw error
          context.onError(unavailable(servers, error))
        }),
        this.#watch.look(),
      ])
    })
    this.#watchGroups()
    void this.#watchConnection()
    context.onConnected()
  }

  /** What goes beside a record into a message: an error with its stack. */
  get maxRecordBytes(): number {
    return this.#publisher.maxPayloadBytes - RECORD_ROOM_BYTES
  }

  checkEvent(event: AppendRequest): void {
    this.#appender.check(event)
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
    const results = await this.#ask(() => this.#appender.append(events))
    this.#retention?.nudge()
    return results
  }

  get(id: string, source?: string): Promise<EventDetails | undefined> {
    return this.#ask(() => this.#query.get(id, source))
  }

  list(query: ListQuery): Promise<EventPage> {
    return this.#ask(() => this.#query.list(query))
  }

  async openGroup(request: GroupRequest): Promise<GroupConsumer> {
    return this.#ask(async () => {
      const { group: state, settledUntil } = await this.#consumers.join(request)
      const lease = request.ordered
        ? new Lease(
            this.#client,
            this.#manager,
            this.#names.lease,
            this.#names.leaseOf(request.name),
          )
        : undefined
      const group: Group = new Group(
        request,
        this.#groupHost(request, lease, () => group),
      )
      await group.start(settledUntil)
      group.changed(state)
      this.#groups.add(group)
      return group
    })
  }

  async removeGroup(name: string): Promise<boolean> {
    if ([...this.#groups].some((group) => group.name === name)) {
      throw new EventBusError(
        'GROUP_CONFLICT',
        `group ${name}: expected no open subscription, close it before removing the group`,
        { details: { group: name } },
      )
    }
    return this.#ask(() => this.#consumers.remove(name))
  }

  async replay(query: ReplayQuery): Promise<ReplayResult> {
    return this.#ask(async () => {
      const groups = await groupsNamed(this.#state, query.groups)
      const result: ReplayResult = { events: 0, deliveries: 0 }
      for await (const { sequence, type } of replayedEvents(query, this.#events, this.#lookup)) {
        result.events += 1
        for (const { name } of groupsFor(groups, type)) {
          result.deliveries += 1
          await this.#redelivery.request(name, sequence, 'replay')
          await this.#state.remove(this.#names.dead(name, sequence))
        }
      }
      return result
    })
  }

  async erase({ id, source, reason }: EraseQuery): Promise<boolean> {
    return this.#ask(async () => {
      const events = await this.#lookup.findAll(id, source)
      for (const event of events) await this.#eraser.erase(event, reason)
      return events.length > 0
    })
  }

  listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    return this.#ask(() => this.#deadLetters.list(query))
  }

  async redriveDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#ask(async () => {
      const letters = await this.#deadLetters.find(query)
      for (const { group, sequence } of letters) {
        // Delivered again first: dying here leaves a dead letter too many, not a lost event.
        await this.#redelivery.request(group, sequence, 'redrive')
        await this.#state.remove(this.#names.dead(group, sequence))
      }
      return letters.length
    })
  }

  async purgeDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#ask(async () => {
      const letters = await this.#deadLetters.find(query)
      for (const { group, sequence } of letters) {
        await this.#state.remove(this.#names.dead(group, sequence))
      }
      return letters.length
    })
  }

  async getStats(): Promise<StoreStats> {
    const connected = await this.#refreshFigures()
    return {
      backend: 'nats',
      connected,
      durability: this.#options.serverDurability,
      deduplication: 'as long as the event is stored',
      ...this.#figures,
      removed: { ...(this.#retention?.removed ?? { events: 0, bytes: 0 }) },
      details: {
        servers: redactServers(this.#options.servers),
        serverVersion: this.#connection.info?.version ?? null,
        atomicBatches: this.#appender.atomic,
        schedules: this.#redelivery.schedules,
        prefix: this.#options.prefix,
        replicas: this.#options.replicas,
        requestTimeoutMs: this.#options.requestTimeoutMs,
        retention: { ...this.#options.retention },
        restored: { ...this.#restored },
      },
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#retention?.close()
    await this.#watch?.close()
    await this.#guard?.close()
    this.#clock?.close()
    clearInterval(this.#confirmTimer)
    this.#closed = true
    // Acks have no answer: the flush makes sure that the server has them.
    if (this.#connected) {
      await Promise.race([
        this.#connection.flush().catch(() => {}),
        new Promise((resolve) => setTimeout(resolve, this.#options.requestTimeoutMs).unref()),
      ])
    }
    await this.#connection.close()
    this.#publisher.close()
  }

  /** Whether the server answered; a server that is away is not waited for. */
  async #refreshFigures(): Promise<boolean> {
    if (!this.#connected && !this.#closed) return false
    try {
      this.#figures = await this.#ask(() => readFigures(this.#state, this.#events, this.#manager))
      return true
    } catch (error) {
      if (error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE') return false
      throw error
    }
  }

  #openRetention({ clock, onError }: StoreContext, index: IdIndex): RetentionSweep | undefined {
    const { retention: limits } = this.#options
    if (Object.values(limits).every((limit) => limit === undefined)) return undefined
    const retention = new Retention(
      this.#state,
      this.#events,
      index,
      this.#manager,
      limits,
      this.#clock,
    )
    const sweep = new RetentionSweep(clock, () => this.#ask(() => retention.sweep()), onError)
    sweep.nudge()
    return sweep
  }

  #groupHost(request: GroupRequest, lease: Lease | undefined, group: () => Group): GroupHost {
    const { name, patterns, ordered } = request
    const consumer = (stream: string, durable: string) =>
      this.#client.consumers.get(stream, durable)
    return {
      state: this.#state,
      events: this.#events,
      redelivery: this.#redelivery,
      clock: this.#clock,
      emit: (events) => this.#emit(events),
      readGroup: () => this.#consumers.read(name),
      confirm: () => this.#consumers.confirm(request),
      leave: async () => {
        if (this.#connected) await this.#consumers.leave(request)
      },
      restore: async (startAfter) => {
        const { forgotten } = await this.#ask(() => this.#consumers.join(request, startAfter))
        if (forgotten) {
          this.#restored.consumers += 1
          this.#context.onEmptied(`group ${name}`)
          this.#context.onRepaired()
        }
        return forgotten
      },
      openPullers: async (onMessage, onEnd) => {
        if (ordered) await this.#consumers.takeOver(request)
        const consumers = await Promise.all([
          consumer(this.#names.events, name),
          consumer(this.#names.redelivery, name),
        ])
        return consumers.map((one) => new Puller(one, onMessage, onEnd))
      },
      openParked: async (onMessage, onEnd) => {
        const parked = this.#names.parkedConsumer(name)
        return new Puller(await consumer(this.#names.redelivery, parked), onMessage, onEnd)
      },
      settledBound: new SettledBound(this.#state, this.#publisher, name),
      lease,
      waitForLease: async () => {
        await this.#publisher.publish(this.#names.leaseWanted(name, keyOf(patterns)), '')
      },
      isLeaseWanted: async (sets) => {
        const waiting = await Promise.all(
          sets.map((set) => {
            const last_by_subj = this.#names.leaseWanted(name, keyOf(set.patterns))
            return this.#manager.direct.getMessage(this.#names.lease, { last_by_subj })
          }),
        )
        return waiting.some((message) => message !== null)
      },
      guard: this.#guard!,
      // What a closed connection could not answer any more is no fault to report.
      onError: (error) => {
        if (!this.#closed) this.#context.onError(error)
      },
      onSettled: () => this.#retention?.nudge(),
      onClose: () => this.#groups.delete(group()),
    }
  }

  /** Hears at once when another process joins a group with other patterns; says now and then what this one uses. */
  #watchGroups(): void {
    const subject = this.#names.group('*')
    this.#connection.subscribe(subject, {
      callback: (_, message) => {
        const name = this.#names.lastToken(message.subject)
        const state = message.json<GroupState>()
        for (const group of this.#groups) if (group.name === name) group.changed(state)
      },
    })
    this.#confirmTimer = setInterval(() => {
      for (const group of this.#groups) group.confirm().catch(this.#context.onError)
    }, CONFIRM_MS).unref()
  }

  /** Makes again what the server has lost, and lets the groups go on from where they are known to be. */
  async #restore(loss: ServerLoss): Promise<void> {
    const { streams } = loss
    this.#context.onEmptied(
      streams.length > 0 ? `streams ${streams.join(', ')}` : 'consumers of groups',
    )
    await this.#makeAgain(loss)
    this.#context.onRepaired()
  }

  async #makeAgain({ streams }: ServerLoss): Promise<void> {
    if (streams.length > 0) {
      const isStateLost = streams.includes(this.#names.state)
      const until = isStateLost ? 0 : await this.#state.lastSequence()
      await addStreams(this.#manager, this.#names, this.#options)
      await forgetLostEvents(this.#state, this.#manager, until)
      this.#restored.streams += streams.length
    }
    const isEmpty = streams.includes(this.#names.events)
    await Promise.all([...this.#groups].map((group) => group.repair(isEmpty)))
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
    for await (const { type } of this.#connection.status()) {
      if (this.#closed) return
      if (type === 'disconnect') {
        this.#connected = false
        for (const group of this.#groups) group.interrupt()
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
    await this.#watch.look()
    this.#clock.sync().catch((error: unknown) => this.#lookFailed(error))
    for (const group of this.#groups) group.renew()
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
