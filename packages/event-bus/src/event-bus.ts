import { EventEmitter } from 'eventemitter3'
import { type Clock, systemClock } from './clock.js'
import type { EventHandler } from './consume/handler/handler-runner.js'
import { isInsideHandlerOf, leaveHandlerScope } from './consume/handler/handler-scope.js'
import { Subscription } from './consume/subscription.js'
import { EventBusError } from './errors.js'
import type { CloudEvent, EventInput } from './event/cloud-event.js'
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
import { parseOptions } from './parse-options.js'
import { EventEncoder } from './publish/event-encoder.js'
import { Publisher } from './publish/publisher.js'
import { readPublishOptions } from './publish/read-publish-options.js'
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
export class EventBus extends EventEmitter<EventBusListeners> {
  /** Events that groups gave up on. */
  readonly deadLetters: DeadLetters
  readonly #options: ResolvedEventBusOptions
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #publisher: Publisher
  readonly #encoder: EventEncoder
  readonly #subscriptions = new Set<Subscription>()
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
      const { durability, dueTime } = readPublishOptions(options, this.#clock.now())
      const requests = events.map((event) => this.#encoder.encode(event, dueTime))
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
      encodeEmitted: (input, id, parent) => this.#encoder.encodeEmitted(input, id, parent),
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
