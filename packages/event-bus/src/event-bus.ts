import { EventEmitter } from 'eventemitter3'
import { type Clock, systemClock } from './clock.js'
import type { EventHandler } from './consume/handler-runner.js'
import { isInsideHandlerOf, leaveHandlerScope } from './consume/handler-scope.js'
import { Subscription, type SubscriptionStats } from './consume/subscription.js'
import { EventBusError } from './errors.js'
import { type CloudEvent, type EventInput, encodeEvent } from './event/cloud-event.js'
import { assertPattern } from './event/pattern.js'
import { assertSchema } from './event/schema-check.js'
import {
  type EventBusOptions,
  eventBusSchema,
  MAX_DELAY_MS,
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
  EraseQuery,
  EventDetails,
  EventPage,
  EventStore,
  ListQuery,
  PublishResult,
  ReplayQuery,
  ReplayResult,
  StoreStats,
} from './store/event-store.js'
import { eraseSchema, eventKeySchema, listSchema, replaySchema } from './store/query-options.js'

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
  /** The store came back without what it had; the bus is not ready until `repaired`. */
  emptied: (what: string) => void
  repaired: () => void
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
  /** How often the store came back without what it had. */
  emptied: number
  /** Events on their way into the store. */
  pendingPublishes: number
  /** Writes that failed and were made again. */
  publishRetries: number
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
    emptied: 0,
  }
  /** Why the bus is not ready, by what is wrong. */
  readonly #problems = new Map<'connection' | 'contents', string>()

  private constructor(options: ResolvedEventBusOptions) {
    super()
    this.#options = options
    this.#store = options.store
    this.#clock = options.clock ?? systemClock
    this.#publisher = new Publisher(
      options.store,
      options.publisher,
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
      onConnected: () => {
        bus.#problems.delete('connection')
        bus.emit('connected')
      },
      onDisconnected: (reason) => {
        bus.#problems.set('connection', reason)
        bus.emit('disconnected', reason)
      },
      onEmptied: (what) => bus.#emptied(what),
      onRepaired: () => {
        bus.#problems.delete('contents')
        bus.emit('repaired')
      },
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
   * `publisher.batching.maxSize` of them are several writes, one after the other: when one of them fails,
   * `details.stored` says how many events were stored, and publishing the same events again stores the rest. Publishes
   * that do not wait for each other may be stored in another order when a write has to be made again.
   *
   * @throws as `publish` does
   */
  async publishBatch(
    events: readonly EventInput[],
    options?: PublishOptions,
  ): Promise<PublishResult[]> {
    this.#assertOpen()
    try {
      const { durability, ...delivery } = this.#readPublishOptions(options)
      const requests = events.map((event) => this.#encode(event, delivery))
      const results = await this.#publisher.publish(requests, durability)
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
      maxRecordBytes: () =>
        Math.min(
          this.#options.maxRecordBytes,
          this.#store.maxRecordBytes ?? Number.POSITIVE_INFINITY,
        ),
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

  /**
   * An event with what every group did with it. Say the source where events of several sources have the id.
   *
   * @throws EventBusError `AMBIGUOUS_ID`, `INVALID_OPTIONS`
   */
  async get(id: string, source?: string): Promise<EventDetails | undefined> {
    const key = parseOptions(eventKeySchema, { id, source }, 'get')
    return this.#store.get(key.id, key.source)
  }

  /**
   * Removes the personal part of an event: its data, and the records, logs and errors that groups kept of it. The
   * envelope stays, with time and reason. Answers false when there is no such event.
   *
   * @throws EventBusError `AMBIGUOUS_ID`, `INVALID_OPTIONS`
   */
  async erase(query: EraseQuery): Promise<boolean> {
    this.#assertOpen()
    return this.#store.erase(parseOptions(eraseSchema, query, 'erase'))
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

  /** Whether events are stored and delivered now; `problem` says why not. */
  getReadiness(): { ready: boolean; problem?: string } {
    if (this.#closing !== undefined) return { ready: false, problem: 'the bus was closed' }
    const [problem] = this.#problems.values()
    return problem === undefined ? { ready: true } : { ready: false, problem }
  }

  /** Figures of this process and of the store; answers also while the store's server is away. */
  async getStats(): Promise<EventBusStats> {
    const { maxPendingEvents, maxEventBytes, publisher } = this.#options
    return {
      ...this.#counts,
      pendingPublishes: this.#publisher.pending,
      publishRetries: this.#publisher.retries,
      limits: { maxPendingEvents, maxEventBytes, maxBatchSize: publisher.batching.maxSize },
      subscriptions: [...this.#subscriptions].map((subscription) => subscription.getStats()),
      store: await this.#store.getStats(),
    }
  }

  /**
   * Finishes what runs, gives back what does not finish in time, and closes the store. Called in a handler of one of
   * its subscriptions it resolves at once: the handler has to end before the rest can happen.
   */
  close(options: { drainTimeoutMs?: number } = {}): Promise<void> {
    const isInsideHandler = [...this.#subscriptions].some((one) => isInsideHandlerOf(one))
    this.#closing ??= this.#close(options.drainTimeoutMs ?? 10_000)
    if (!isInsideHandler) return this.#closing
    this.#closing.catch((error: unknown) => this.emit('error', error))
    return Promise.resolve()
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    const subscriptions = [...this.#subscriptions]
    // Each one is waited for, also when a handler called this.
    await leaveHandlerScope(() =>
      Promise.all(subscriptions.map((one) => one.close({ drainTimeoutMs }))),
    )
    await this.#publisher.settled()
    await this.#store.close()
  }

  #emptied(what: string): void {
    this.#counts.emptied += 1
    this.#problems.set('contents', what)
    this.emit('emptied', what)
    this.emit(
      'error',
      new EventBusError(
        'STORE_EMPTIED',
        `the store came back without what it had: ${what}. Events that were stored there are lost; groups are made again and consuming goes on. Give the server a disk, or restore its backup`,
        { details: { what } },
      ),
    )
  }

  #published(result: PublishResult, event: CloudEvent): void {
    if (result.duplicate) this.#counts.duplicates += 1
    else this.#counts.published += 1
    this.emit('published', result, event)
  }

  #encode(
    input: EventInput,
    delivery?: Pick<AppendRequest, 'deliverAtMs' | 'delayMs'>,
  ): AppendRequest {
    const { source, maxEventBytes, schemas } = this.#options
    const encoded = encodeEvent(input, { source, maxEventBytes, now: this.#clock.now() })
    assertSchema(schemas, encoded.event)
    const request = { ...encoded, ...delivery }
    this.#store.checkEvent?.(request)
    return request
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
    delayMs?: number
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
    if (at !== undefined && at > this.#clock.now() + MAX_DELAY_MS) {
      throw new EventBusError(
        'INVALID_OPTIONS',
        `publish: deliverAt: expected a time within the next ten years, got ${new Date(at).toISOString()}`,
      )
    }
    return {
      ...(durability !== undefined && { durability }),
      ...(at !== undefined && { deliverAtMs: at }),
      ...(delayMs !== undefined && { delayMs }),
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new EventBusError('CLOSED', 'the bus was closed')
  }
}
