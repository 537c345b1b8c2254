import { EventEmitter } from 'eventemitter3'
import { type Clock, systemClock } from './clock.js'
import type { EventHandler } from './consume/handler-runner.js'
import { Subscription, type SubscriptionStats } from './consume/subscription.js'
import { EventBusError } from './errors.js'
import { type CloudEvent, type EventInput, encodeEvent } from './event/cloud-event.js'
import { assertPattern } from './event/pattern.js'
import { assertSchema } from './event/schema-check.js'
import {
  type EventBusOptions,
  eventBusSchema,
  type PublishOptions,
  publishSchema,
  type ResolvedEventBusOptions,
  type SubscribeOptions,
  subscribeSchema,
} from './options.js'
import { parseOptions } from './parse-options.js'
import { Publisher } from './publish/publisher.js'
import { DeadLetters } from './store/dead-letters.js'
import type {
  AppendRequest,
  EventDetails,
  EventPage,
  EventStore,
  ListQuery,
  PublishResult,
  ReplayQuery,
  ReplayResult,
  StoreStats,
} from './store/event-store.js'
import { listSchema, replaySchema } from './store/query-options.js'

/** What `bus.on` listens to; all of it concerns this process only. */
export interface EventBusListeners {
  published: (result: PublishResult, event: CloudEvent) => void
  delivered: (delivery: {
    event: CloudEvent
    group: string
    attempt: number
    durationMs: number
  }) => void
  /** An attempt failed; without `nextDelayMs` it was the last one. */
  failed: (failure: {
    event: CloudEvent
    group: string
    attempt: number
    error: Error
    nextDelayMs?: number
  }) => void
  'dead-lettered': (letter: {
    event: CloudEvent
    group: string
    attempt: number
    error: Error
  }) => void
  connected: () => void
  disconnected: (reason: string) => void
  /** Something failed that no call of yours could report; the bus goes on trying. */
  error: (error: unknown) => void
}

/** What the bus did in this process, and what its store holds. */
export interface EventBusStats {
  published: number
  duplicates: number
  /** Refused: invalid, too large, against its schema, or because of backpressure. */
  rejected: number
  /** Events that handlers emitted. */
  emitted: number
  delivered: number
  failed: number
  deadLettered: number
  replayed: number
  pendingPublishes: number
  limits: { maxPendingEvents: number; maxEventBytes: number; maxBatchSize: number }
  subscriptions: SubscriptionStats[]
  store: StoreStats
}

/** Publishes events durably and delivers them at least once to every consumer group. */
export class EventBus extends EventEmitter<EventBusListeners> {
  /** Events that groups gave up on. */
  readonly deadLetters: DeadLetters
  readonly #options: ResolvedEventBusOptions
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #publisher: Publisher
  readonly #subscriptions = new Set<Subscription>()
  #closing: Promise<void> | undefined
  readonly #counts = {
    published: 0,
    duplicates: 0,
    rejected: 0,
    emitted: 0,
    delivered: 0,
    failed: 0,
    deadLettered: 0,
    replayed: 0,
  }

  private constructor(options: ResolvedEventBusOptions) {
    super()
    this.#options = options
    this.#store = options.store
    this.#clock = options.clock ?? systemClock
    this.#publisher = new Publisher(
      options.store,
      options.batching,
      options.maxPendingEvents,
      this.#clock,
    )
    this.deadLetters = new DeadLetters(options.store)
  }

  /**
   * Opens a bus on a store; the bus owns the store from then on and closes it.
   *
   * @throws EventBusError `INVALID_OPTIONS`, or what the store has to say, such as `STORE_LOCKED`
   */
  static async open(options: EventBusOptions): Promise<EventBus> {
    const bus = new EventBus(parseOptions(eventBusSchema, options, 'EventBus'))
    await bus.#store.open({
      clock: bus.#clock,
      onConnected: () => bus.emit('connected'),
      onDisconnected: (reason) => bus.emit('disconnected', reason),
      onError: (error) => bus.emit('error', error),
    })
    return bus
  }

  /**
   * Stores one event; resolves once it is as durable as its level says.
   *
   * @throws EventBusError `INVALID_EVENT`, `EVENT_TOO_LARGE`, `SCHEMA_MISMATCH`, `BACKPRESSURE`, `CLOSED`, `STORE_FAILED`
   */
  async publish(event: EventInput, options?: PublishOptions): Promise<PublishResult> {
    const [result] = await this.publishBatch([event], options)
    return result!
  }

  /**
   * Stores events in this order; when one of them is refused, none is stored. More than
   * `batching.maxSize` of them are several writes.
   *
   * @throws as `publish` does
   */
  async publishBatch(
    events: readonly EventInput[],
    options?: PublishOptions,
  ): Promise<PublishResult[]> {
    this.#assertOpen()
    try {
      const { durability, deliverAtMs } = this.#readPublishOptions(options)
      const requests = events.map((event) => this.#encode(event, deliverAtMs))
      const results = await this.#writeInChunks(requests, durability)
      for (const [i, result] of results.entries()) this.#published(result, requests[i]!.event)
      return results
    } catch (error) {
      this.#counts.rejected += events.length
      throw error
    }
  }

  /** Resolves when the store has caught up enough that a publish refused with BACKPRESSURE is worth trying again. */
  drained(): Promise<void> {
    return this.#publisher.drained()
  }

  /**
   * Adds a consumer to a group, which is made when it does not exist. Await `ready` before publishing
   * what it must not miss.
   *
   * @throws EventBusError `INVALID_OPTIONS`, `INVALID_PATTERN`, `CLOSED`
   */
  subscribe(
    patterns: string | readonly string[],
    handler: EventHandler,
    options: SubscribeOptions,
  ): Subscription {
    this.#assertOpen()
    const wanted = typeof patterns === 'string' ? [patterns] : [...patterns]
    if (wanted.length === 0)
      throw new EventBusError('INVALID_PATTERN', 'patterns: expected at least one')
    for (const pattern of wanted) assertPattern(pattern)
    const resolved = parseOptions(subscribeSchema, options, 'subscribe')
    const subscription = new Subscription(wanted, handler, resolved, {
      clock: this.#clock,
      openConsumer: () =>
        this.#store.openGroup({
          name: resolved.group,
          patterns: wanted,
          start: resolved.start,
          ordered: resolved.orderingKey !== undefined,
          ackWaitMs: resolved.ackWaitMs,
        }),
      encodeEmitted: (input, id, parent) => this.#encodeEmitted(input, id, parent),
      onDelivered: ({ event, attempt }, group, durationMs, emitted) => {
        this.#counts.delivered += 1
        this.#counts.emitted += emitted.filter(({ duplicate }) => !duplicate).length
        this.emit('delivered', { event, group, attempt, durationMs })
      },
      onFailed: ({ event, attempt }, group, error, nextDelayMs) => {
        this.#counts.failed += 1
        const delay = nextDelayMs === undefined ? {} : { nextDelayMs }
        this.emit('failed', { event, group, attempt, error, ...delay })
      },
      onDeadLettered: ({ event, attempt }, group, error) => {
        this.#counts.deadLettered += 1
        this.emit('dead-lettered', { event, group, attempt, error })
      },
      onClosed: (closed) => this.#subscriptions.delete(closed),
      onError: (error) => this.emit('error', error),
    })
    this.#subscriptions.add(subscription)
    return subscription
  }

  /** An event with what every group did with it. */
  get(id: string): Promise<EventDetails | undefined> {
    return this.#store.get(id)
  }

  /**
   * Stored events, newest first.
   *
   * @throws EventBusError `INVALID_OPTIONS`
   */
  async list(query: ListQuery = {}): Promise<EventPage> {
    return this.#store.list(parseOptions(listSchema, query, 'list'))
  }

  /**
   * Delivers stored events again to the groups whose patterns match.
   *
   * @throws EventBusError `NOT_FOUND` for an unknown id or group
   */
  async replay(query: ReplayQuery): Promise<ReplayResult> {
    this.#assertOpen()
    const result = await this.#store.replay(parseOptions(replaySchema, query, 'replay'))
    this.#counts.replayed += result.events
    return result
  }

  /**
   * Forgets a group that has no open subscription: its position, waiting retries and dead letters.
   *
   * @throws EventBusError `GROUP_CONFLICT` while it has a subscription here
   */
  removeGroup(group: string): Promise<boolean> {
    this.#assertOpen()
    return this.#store.removeGroup(group)
  }

  /** Figures of this process and of the store; answers also while the store's server is away. */
  async getStats(): Promise<EventBusStats> {
    const { maxPendingEvents, maxEventBytes, batching } = this.#options
    return {
      ...this.#counts,
      pendingPublishes: this.#publisher.pending,
      limits: { maxPendingEvents, maxEventBytes, maxBatchSize: batching.maxSize },
      subscriptions: [...this.#subscriptions].map((subscription) => subscription.getStats()),
      store: await this.#store.getStats(),
    }
  }

  /** Finishes what runs, gives back what does not finish in time, and closes the store. */
  close(options: { drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainTimeoutMs ?? 10_000)
    return this.#closing
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    await Promise.all([...this.#subscriptions].map((one) => one.close({ drainTimeoutMs })))
    await this.#publisher.settled()
    await this.#store.close()
  }

  async #writeInChunks(
    requests: AppendRequest[],
    durability: PublishOptions['durability'],
  ): Promise<PublishResult[]> {
    const { maxSize } = this.#options.batching
    if (requests.length <= maxSize) return this.#publisher.publish(requests, durability)
    const chunks: Promise<PublishResult[]>[] = []
    for (let at = 0; at < requests.length; at += maxSize) {
      chunks.push(this.#publisher.publish(requests.slice(at, at + maxSize), durability))
    }
    // All are waited for, so that no rejection is left without a listener.
    const settled = await Promise.allSettled(chunks)
    return settled.flatMap((chunk) => {
      if (chunk.status === 'rejected') throw chunk.reason
      return chunk.value
    })
  }

  #published(result: PublishResult, event: CloudEvent): void {
    if (result.duplicate) this.#counts.duplicates += 1
    else this.#counts.published += 1
    this.emit('published', result, event)
  }

  #encode(input: EventInput, deliverAtMs?: number): AppendRequest {
    const { source, maxEventBytes, schemas } = this.#options
    const encoded = encodeEvent(input, { source, maxEventBytes, now: this.#clock.now() })
    assertSchema(schemas, encoded.event)
    return deliverAtMs === undefined ? encoded : { ...encoded, deliverAtMs }
  }

  #encodeEmitted(input: EventInput, id: string, parent: CloudEvent): AppendRequest {
    const traced = { ...input, id }
    // Whoever follows the trace finds the events that the event caused.
    if (traced.traceparent === undefined && parent.traceparent !== undefined) {
      traced.traceparent = parent.traceparent
      if (parent.tracestate !== undefined) traced.tracestate = parent.tracestate
    }
    return this.#encode(traced)
  }

  #readPublishOptions(options: PublishOptions | undefined): {
    durability?: PublishOptions['durability']
    deliverAtMs?: number
  } {
    if (options === undefined) return {}
    const { durability, delayMs, deliverAt } = parseOptions(publishSchema, options, 'publish')
    const at = deliverAt === undefined ? undefined : new Date(deliverAt).getTime()
    if (at !== undefined && delayMs !== undefined) {
      throw new EventBusError(
        'INVALID_OPTIONS',
        'publish: expected either deliverAt or delayMs, got both',
      )
    }
    const deliverAtMs = at ?? (delayMs === undefined ? undefined : this.#clock.now() + delayMs)
    return {
      ...(durability !== undefined && { durability }),
      ...(deliverAtMs !== undefined && { deliverAtMs }),
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new EventBusError('CLOSED', 'the bus was closed')
  }
}
