import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import {
  type CloudEvent,
  type EventDetails,
  type EventPage,
  type ListQuery,
  matchesPattern,
  PageSize,
} from '@nexus/event-bus'
import type { EventMessage, EventRange, Events } from '../streams/events.js'
import type { Names } from '../streams/names.js'
import type { Deliveries, Position } from './deliveries.js'
import type { EventLookup } from './event-lookup.js'
import { toStoredEvent } from './to-stored-event.js'

/** Events read at once. */
const WINDOW = 100
/** A page looks at no more sequences than this. */
const MAX_SCANNED = 5_000

/** What it takes to read events. */
export interface EventQueryHost {
  names: Names
  manager: JetStreamManager
  events: Events
  lookup: EventLookup
  deliveries: Deliveries
}

/** Reads events with their deliveries. JetStream has no index by type: a rare one is found by looking. */
export class EventQuery {
  readonly #host: EventQueryHost

  constructor(host: EventQueryHost) {
    this.#host = host
  }

  async get(id: string, source?: string): Promise<EventDetails | undefined> {
    const { lookup, deliveries } = this.#host
    const event = await lookup.find(id, source)
    if (event === undefined) return undefined
    const positions = await deliveries.positions()
    return { ...toStoredEvent(event), deliveries: await deliveries.of(event, positions) }
  }

  async list(query: ListQuery): Promise<EventPage> {
    const { events, deliveries } = this.#host
    const reverse = query.order !== 'asc'
    const range = await events.range()
    const { since, until } = await this.#between(query, range)
    const cursor = query.cursor === undefined ? undefined : Number(query.cursor)
    const from = reverse || cursor === undefined ? since : Math.max(since, cursor + 1)
    const to = !reverse || cursor === undefined ? until : Math.min(until, cursor - 1)
    const limit = query.limit ?? 20
    const positions = query.status === undefined ? [] : await deliveries.positions()

    const page: EventPage = { events: [] }
    const pageSize = new PageSize(query.maxPageBytes)
    let scanned = 0
    let at = reverse ? to : from
    const wanted = query.type ?? query.source ?? query.status
    while (at >= from && at <= to && page.cursor === undefined) {
      const size = wanted === undefined ? Math.min(WINDOW, limit + 1) : WINDOW
      const found = await events.window(range, at, reverse ? from : to, size)
      for (const event of found) {
        if (page.events.length === limit || pageSize.isFull) {
          page.cursor = String(reverse ? event.sequence + 1 : event.sequence - 1)
          break
        }
        if (!(await this.#matches(event, query, positions))) continue
        page.events.push(toStoredEvent(event))
        pageSize.add(event.json)
      }
      at += reverse ? -size : size
      scanned += found.length
      if (page.cursor === undefined && scanned >= MAX_SCANNED && at >= from && at <= to) {
        page.cursor = String(reverse ? at + 1 : at - 1)
      }
    }
    const total = await this.#count(query, Math.max(0, until - since + 1))
    if (total !== undefined) page.total = total
    return page
  }

  async #between({ since, until }: ListQuery, { first, last }: EventRange) {
    const { lookup } = this.#host
    return {
      since: since === undefined ? first : await lookup.firstAtOrAfter(since),
      until: until === undefined ? last : (await lookup.firstAtOrAfter(until)) - 1,
    }
  }

  async #matches(
    event: EventMessage,
    { type, source, status }: ListQuery,
    positions: readonly Position[],
  ): Promise<boolean> {
    if (type !== undefined && !matchesPattern(type, event.type)) return false
    if (source !== undefined && (JSON.parse(event.json) as CloudEvent).source !== source) {
      return false
    }
    if (status === undefined) return true
    const deliveries = await this.#host.deliveries.of(event, positions)
    return deliveries.some((delivery) => delivery.status === status)
  }

  /** A consumer that is asked for nothing tells how many events it would get. */
  async #count(query: ListQuery, between: number): Promise<number | undefined> {
    const timed = query.since !== undefined || query.until !== undefined
    if (query.status !== undefined || query.source !== undefined) return undefined
    if (query.type === undefined) return between
    if (timed) return undefined
    const { names, manager } = this.#host
    const { name, num_pending } = await manager.consumers.add(names.events, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      filter_subject: names.eventsOf(query.type),
      inactive_threshold: nanos(5_000),
      mem_storage: true,
    })
    await manager.consumers.delete(names.events, name)
    return num_pending
  }
}
