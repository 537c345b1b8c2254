import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/transport-node'
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
import { openConnection } from './connection/open-connection.js'
import { Publisher } from './connection/publisher.js'
import { redactServers, unavailable } from './connection/unavailable.js'
import { Group } from './group/group.js'
import { Lease } from './group/lease.js'
import { Puller } from './group/puller.js'
import { SettledBound } from './group/settled-bound.js'
import {
  type NatsStoreOptions,
  natsStoreSchema,
  type ResolvedNatsStoreOptions,
} from './nats-store-options.js'
import { Query } from './query/query.js'
import { addStreams, type ServerFeatures } from './streams/add-streams.js'
import { Appender } from './streams/appender.js'
import { Names } from './streams/names.js'
import { Redelivery } from './streams/redelivery.js'
import { Retention } from './streams/retention.js'
import { type GroupState, State } from './streams/state.js'

/**
 * Keeps events in NATS JetStream (server 2.9 or later) that several runtimes share.
 *
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function natsStore(options: NatsStoreOptions = {}): EventStore {
  return new NatsStore(parseOptions(natsStoreSchema, options, 'natsStore'))
}

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
  #query!: Query
  #context!: StoreContext
  #guard: ClaimGuard | undefined
  #retention: RetentionSweep | undefined
  #appender!: Appender
  #redelivery!: Redelivery
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
    this.#state = new State(this.#names, this.#publisher, this.#manager)
    this.#appender = new Appender(
      this.#publisher,
      this.#state,
      this.#options.atomicBatches && features.atomicBatches,
    )
    this.#redelivery = new Redelivery(this.#state, this.#publisher, features.schedules)
    this.#query = new Query(this.#state, this.#manager)
    this.#guard = new ClaimGuard(
      new URL('../dist/claim-guard-worker.js', import.meta.url),
      { servers, token, credentials, tls, requestTimeoutMs: timeout, leases: this.#names.lease },
      context.onError,
    )
    this.#retention = this.#openRetention(context)
    this.#connected = true
    void this.#watchConnection()
    context.onConnected()
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

  get(id: string): Promise<EventDetails | undefined> {
    return this.#ask(() => this.#query.get(id))
  }

  list(query: ListQuery): Promise<EventPage> {
    return this.#ask(() => this.#query.list(query))
  }

  async openGroup(request: GroupRequest): Promise<GroupConsumer> {
    return this.#ask(async () => {
      await this.#addGroup(request)
      const lease = request.ordered
        ? new Lease(
            this.#client,
            this.#manager,
            this.#names.lease,
            this.#names.leaseOf(request.name),
          )
        : undefined
      const group: Group = new Group(request, {
        state: this.#state,
        redelivery: this.#redelivery,
        emit: (events) => this.append(events),
        openPullers: async (onMessage, onEnd) => {
          if (request.ordered) await this.#takeOver(request)
          const { name } = request
          const [own, redelivery] = await Promise.all([
            this.#client.consumers.get(this.#names.events, name),
            this.#client.consumers.get(this.#names.redelivery, name),
          ])
          return [new Puller(own, onMessage, onEnd), new Puller(redelivery, onMessage, onEnd)]
        },
        settledBound: new SettledBound(this.#state, this.#publisher, request.name),
        lease,
        guard: this.#guard!,
        onError: (error) => this.#context.onError(error),
        onSettled: () => this.#retention?.nudge(),
        onClose: () => this.#groups.delete(group),
      })
      await group.start()
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
    return this.#ask(async () => {
      const known = await this.#state.read<GroupState>(this.#names.group(name))
      if (known === undefined) return false
      for (const stream of [this.#names.events, this.#names.redelivery]) {
        await this.#manager.consumers.delete(stream, name).catch(ignoreMissing)
      }
      for (const filter of [
        this.#names.redeliveryOf(name, '*'),
        this.#names.delayedOf(name, '*'),
      ]) {
        await this.#manager.streams.purge(this.#names.redelivery, { filter })
      }
      for (const subject of [this.#names.delivery(name, '*'), this.#names.dead(name, '*')]) {
        await this.#state.remove(subject)
      }
      await this.#state.remove(this.#names.settledBound(name))
      await this.#state.remove(this.#names.group(name))
      return true
    })
  }

  async replay(query: ReplayQuery): Promise<ReplayResult> {
    return this.#ask(async () => {
      const groups = await this.#query.groupsNamed(query.groups)
      const result: ReplayResult = { events: 0, deliveries: 0 }
      for await (const { sequence, type } of this.#query.eventsToReplay(query)) {
        result.events += 1
        for (const group of this.#query.groupsFor(type, groups)) {
          result.deliveries += 1
          const before = await this.#state.delivery(group, sequence)
          await this.#state.remove(this.#names.dead(group, sequence))
          await this.#redelivery.deliver(group, { sequence, replay: (before?.replays ?? 0) + 1 })
        }
      }
      return result
    })
  }

  async erase(): Promise<boolean> {
    throw new EventBusError('STORE_FAILED', 'erase: this store cannot erase events yet')
  }

  listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    return this.#ask(() => this.#query.listDeadLetters(query))
  }

  async redriveDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#ask(async () => {
      const letters = await this.#query.deadSequences(query)
      for (const { group, sequence } of letters) {
        const before = await this.#state.delivery(group, sequence)
        // Delivered again first: dying here leaves a dead letter too many, not a lost event.
        await this.#redelivery.deliver(group, { sequence, replay: before?.replays ?? 0 })
        await this.#state.remove(this.#names.dead(group, sequence))
      }
      return letters.length
    })
  }

  async purgeDeadLetters(query: DeadLetterQuery): Promise<number> {
    return this.#ask(async () => {
      const letters = await this.#query.deadSequences(query)
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
      deduplication: `as long as the event is stored for the same type, ${this.#options.duplicateWindowMs} ms for any`,
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
      },
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#retention?.close()
    await this.#guard?.close()
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
      this.#figures = await this.#ask(() => this.#query.stats())
      return true
    } catch (error) {
      if (error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE') return false
      throw error
    }
  }

  #openRetention({ clock, onError }: StoreContext): RetentionSweep | undefined {
    const { retention: limits } = this.#options
    if (Object.values(limits).every((limit) => limit === undefined)) return undefined
    const retention = new Retention(this.#state, this.#manager, limits, clock)
    const sweep = new RetentionSweep(clock, () => this.#ask(() => retention.sweep()), onError)
    sweep.nudge()
    return sweep
  }

  /** Makes what a group needs on the server. */
  async #addGroup(request: GroupRequest): Promise<void> {
    const { name, patterns } = request
    const known = await this.#state.read<GroupState>(this.#names.group(name))
    const startAfter = known?.startAfter ?? (await this.#query.startAfter(request))
    const config = this.#consumerConfig(request, startAfter)
    await this.#ensureConsumer(this.#names.events, config)
    await this.#ensureConsumer(this.#names.redelivery, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(request.ackWaitMs),
      max_ack_pending: -1,
      filter_subject: this.#names.redeliveryOf(name, '*'),
    })
    const state: GroupState = { patterns: [...patterns], startAfter }
    await this.#state.write(this.#names.group(name), state)
  }

  /** A consumer that exists keeps its position; what may change of it is brought up to date. */
  async #ensureConsumer(stream: string, config: Partial<ConsumerConfig>): Promise<void> {
    const { consumers } = this.#manager
    const name = config.durable_name!
    const known = await consumers.info(stream, name).catch(ignoreMissing)
    if (known === undefined) {
      await consumers.add(stream, config)
      return
    }
    const { ack_wait, filter_subject } = config
    if (known.config.ack_wait === ack_wait && known.config.filter_subject === filter_subject) return
    await consumers.update(stream, name, { ack_wait: ack_wait!, filter_subject: filter_subject! })
  }

  #consumerConfig(request: GroupRequest, startAfter: number): Partial<ConsumerConfig> {
    const { name, patterns, ackWaitMs } = request
    // Servers before 2.10 filter by one subject: what comes besides is acked unhandled.
    const filter = patterns.length === 1 ? patterns[0]! : '>'
    return {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      max_deliver: -1,
      max_ack_pending: -1,
      filter_subject: this.#names.eventsOf(filter),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: startAfter + 1,
    }
  }

  /**
   * Makes the server begin again where the former owner's work is incomplete, so that nothing newer comes
   * before it.
   */
  async #takeOver(request: GroupRequest): Promise<void> {
    const { consumers } = this.#manager
    // Missing when a former owner died, or lost its connection, between the two steps below.
    const info = await consumers.info(this.#names.events, request.name).catch(ignoreMissing)
    if (info?.num_ack_pending === 0) return
    if (info !== undefined) await consumers.delete(this.#names.events, request.name)
    const startAfter = info?.ack_floor.stream_seq ?? 0
    const known = await this.#state.read<GroupState>(this.#names.group(request.name))
    const config = this.#consumerConfig(request, Math.max(startAfter, known?.startAfter ?? 0))
    await consumers.add(this.#names.events, config)
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
        for (const group of this.#groups) group.renew()
      }
    }
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

const CONSUMER_NOT_FOUND = 10014

function ignoreMissing(error: unknown): undefined {
  if (error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND) return undefined
  throw error
}
