import { EventEmitter } from 'eventemitter3'
import { logBus } from './bus-log.js'
import { type Clock, systemClock } from './clock.js'
import type { EventHandler } from './consume/handler/handler-runner.js'
import { isInsideHandlerOf, leaveHandlerScope } from './consume/handler/handler-scope.js'
import { Subscription } from './consume/subscription.js'
import { EventBusError } from './errors.js'
import type { CloudEvent, EventInput } from './event/cloud-event.js'
import type { EventSchemas, NoSchemas, TypedEvent, TypedEventInput } from './event/event-schemas.js'
import { assertPattern } from './event/pattern.js'
import type { EventBusListeners } from './event-bus-listeners.js'
import type { EventBusCounts, EventBusStats } from './event-bus-stats.js'
import {
  type EventBusOptions,
  eventBusSchema,
  type PublishOptions,
  type ResolvedEventBusOptions,
  type SubscribeOptions,
  subscribeSchema,
} from './options.js'
import { OutcomeWait } from './outcome/outcome-wait.js'
import type { PublishOutcome, WaitOptions } from './outcome/wait-options.js'
import { parseOptions } from './parse-options.js'
import { EventEncoder } from './publish/event-encoder.js'
import { Publisher } from './publish/publisher.js'
import { readPublishOptions } from './publish/read-publish-options.js'
import { CheckedStates } from './store/checked-states.js'
import { DeadLetters } from './store/dead-letters.js'
import type { EventStore, PublishResult } from './store/event-store.js'
import type {
  EraseQuery,
  EventPage,
  ListQuery,
  ReplayQuery,
  ReplayResult,
} from './store/queries.js'
import { eraseSchema, eventKeySchema, listSchema, replaySchema } from './store/query-options.js'
import { SharedValues } from './store/shared-values.js'
import type { EventDetails } from './store/stored-event.js'

/**
 * Publishes events durably and delivers them at least once to every consumer group.
 *
 * @example
 * ```ts
 * const bus = await EventBus.open({ store: localStore({ path: './data' }) })
 * const mails = bus.subscribe('shop.order.*', ({ event }) => sendMail(event.data), { group: 'mails' })
 * await mails.ready
 * await bus.publish({ type: 'shop.order.paid', data: { total: 21 } })
 * await bus.close()
 * ```
 */
export class EventBus<
  // biome-ignore lint/suspicious/noExplicitAny: `EventBus` alone means a bus with any schemas
  Schemas extends EventSchemas = any,
> extends EventEmitter<EventBusListeners> {
  /** Events that groups gave up on. */
  readonly deadLetters: DeadLetters
  /** Small values that the processes of the bus share. */
  readonly shared: SharedValues
  /** What groups keep beside their deliveries, such as calls that stand still. */
  readonly states: CheckedStates
  readonly #options: ResolvedEventBusOptions
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #publisher: Publisher
  readonly #encoder: EventEncoder
  readonly #subscriptions = new Set<Subscription>()
  readonly #outcomes: OutcomeWait
  #closing: Promise<void> | undefined
  readonly #counts: EventBusCounts = {
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
    this.#encoder = new EventEncoder(options, this.#clock)
    this.deadLetters = new DeadLetters(options.store)
    this.shared = new SharedValues(options.store)
    this.states = new CheckedStates(options.store.states)
    this.#outcomes = new OutcomeWait({
      clock: this.#clock,
      isShared: options.store.isShared ?? false,
      get: ({ id, source }) => this.#store.get(id, source),
      consumedGroups: () => [...this.#subscriptions].map(({ group }) => group),
    })
  }

  /**
   * Opens a bus on a store; the bus owns the store from then on and closes it.
   *
   * @throws EventBusError `INVALID_OPTIONS`, or what the store has to say, such as `STORE_LOCKED`
   */
  static async open<const Schemas extends EventSchemas = NoSchemas>(
    options: EventBusOptions<Schemas>,
  ): Promise<EventBus<Schemas>> {
    const bus = new EventBus<Schemas>(parseOptions(eventBusSchema, options, 'EventBus'))
    logBus(bus, bus.#options.logger)
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
      onError: (error) => bus.#report(error),
    })
    return bus
  }

  /**
   * Stores one event; resolves once it is as durable as its level says. With `wait` it resolves once every group has ended
   * with the event, or the time is over: then `settled` is false, and `deliveries` say where each group stands.
   *
   * @throws EventBusError `INVALID_EVENT`, `EVENT_TOO_LARGE`, `SCHEMA_MISMATCH`, `BACKPRESSURE`, `CLOSED`, `STORE_FAILED`
   *
   * @example
   * ```ts
   * const { settled, deliveries } = await bus.publish({ type: 'shop.order.paid' }, { wait: { timeoutMs: 5_000 } })
   * ```
   */
  async publish<const Type extends string>(
    event: TypedEventInput<Schemas, Type>,
    options: PublishOptions & { wait: true | WaitOptions },
  ): Promise<PublishOutcome>
  /** The same; without `wait` it ends once the event is stored. */
  async publish<const Type extends string>(
    event: TypedEventInput<Schemas, Type>,
    options?: PublishOptions,
  ): Promise<PublishResult>
  async publish(event: EventInput, options?: PublishOptions): Promise<PublishResult> {
    const [result] = await this.publishBatch([event], options)
    return result!
  }

  /**
   * Stores events in this order; when one of them is refused, none is stored. More than
   * `publisher.batching.maxSize` of them are several writes, one after the other: when one of them fails,
   * `details.stored` says how many events were stored, and publishing the same events again stores the rest. Publishes
   * that do not wait for each other may be stored in another order when a write has to be made again. With `wait` it
   * resolves once every group has ended with every event, or the time is over.
   *
   * @throws as `publish` does
   */
  async publishBatch(
    events: readonly EventInput[],
    options: PublishOptions & { wait: true | WaitOptions },
  ): Promise<PublishOutcome[]>
  /** The same; without `wait` it ends once the events are stored. */
  async publishBatch(
    events: readonly EventInput[],
    options?: PublishOptions,
  ): Promise<PublishResult[]>
  async publishBatch(
    events: readonly EventInput[],
    options?: PublishOptions,
  ): Promise<PublishResult[]> {
    this.#assertOpen()
    const { results, stored, wait } = await this.#append(events, options)
    if (wait === undefined) return results
    return Promise.all(
      results.map(async (result, i) => ({
        ...result,
        ...(await this.#outcomes.wait(stored[i]!, wait)),
      })),
    )
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
  subscribe<const Pattern extends string>(
    patterns: Pattern | readonly Pattern[],
    handler: EventHandler<TypedEvent<Schemas, Pattern>>,
    options: SubscribeOptions,
  ): Subscription {
    this.#assertOpen()
    const wanted = typeof patterns === 'string' ? [patterns] : [...patterns]
    if (wanted.length === 0)
      throw new EventBusError('INVALID_PATTERN', 'patterns: expected at least one')
    for (const pattern of wanted) assertPattern(pattern)
    const resolved = parseOptions(subscribeSchema, options, 'subscribe')
    const subscription = new Subscription(wanted, handler as EventHandler, resolved, {
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
      encodeEmitted: (input, id, parent) => this.#encoder.encodeEmitted(input, id, parent),
      onDelivered: ({ event, attempt }, group, durationMs, emitted) => {
        this.#counts.delivered += 1
        this.#counts.emitted += emitted.filter(({ duplicate }) => !duplicate).length
        this.#outcomes.ended(event)
        this.emit('delivered', { event, group, attempt, durationMs })
      },
      onFailed: ({ event, attempt }, group, error, nextDelayMs) => {
        this.#counts.failed += 1
        const delay = nextDelayMs === undefined ? {} : { nextDelayMs }
        this.emit('failed', { event, group, attempt, error, ...delay })
      },
      onDeadLettered: ({ event, attempt }, group, error, emitted) => {
        this.#counts.deadLettered += 1
        this.#counts.emitted += emitted.filter(({ duplicate }) => !duplicate).length
        this.#outcomes.ended(event)
        this.emit('dead-lettered', { event, group, attempt, error })
      },
      onClosed: (closed) => this.#subscriptions.delete(closed),
      onError: (error) => this.#report(error),
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

  /** Whether other processes may consume from the store at the same time. */
  get isShared(): boolean {
    return this.#store.isShared ?? false
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

  /** {@link close}, by the name that other classes have it under. */
  shutdown(options?: { drainTimeoutMs?: number }): Promise<void> {
    return this.close(options)
  }

  /** See {@link close}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    const subscriptions = [...this.#subscriptions]
    // Each one is waited for, also when a handler called this.
    await leaveHandlerScope(() =>
      Promise.all(subscriptions.map((one) => one.close({ drainTimeoutMs }))),
    )
    await this.#outcomes.close()
    await this.#publisher.settled()
    await this.#store.close()
  }

  async #append(events: readonly EventInput[], options: PublishOptions | undefined) {
    try {
      const { durability, dueTime, wait } = readPublishOptions(options, this.#clock.now())
      const requests = events.map((event) => this.#encoder.encode(event, dueTime))
      const results = await this.#publisher.publish(requests, durability)
      const stored = requests.map(({ event }) => event)
      for (const [i, result] of results.entries()) this.#published(result, stored[i]!)
      return { results, stored, wait }
    } catch (error) {
      this.#counts.rejected += events.length
      throw error
    }
  }

  /** That the server cannot be reached is told once, by `disconnected`: not by each request that fails until it is back. */
  #report(error: unknown): void {
    const isAway = error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE'
    if (!isAway || !this.#problems.has('connection')) this.emit('error', error)
  }

  #emptied(what: string): void {
    this.#counts.emptied += 1
    this.#problems.set('contents', what)
    this.emit('emptied', what)
    this.emit(
      'error',
      new EventBusError(
        'STORE_EMPTIED',
        `the store does not have what it had: ${what}. Groups are made again, and consuming goes on`,
        { details: { what } },
      ),
    )
  }

  #published(result: PublishResult, event: CloudEvent): void {
    if (result.duplicate) this.#counts.duplicates += 1
    else this.#counts.published += 1
    this.emit('published', result, event)
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new EventBusError('CLOSED', 'the bus was closed')
  }
}
