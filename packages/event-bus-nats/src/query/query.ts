import { AckPolicy, DeliverPolicy, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import {
  ambiguousId,
  type CloudEvent,
  type DeadLetter,
  type DeadLetterListQuery,
  type DeadLetterPage,
  type DeadLetterQuery,
  type Delivery,
  EventBusError,
  type EventDetails,
  type EventPage,
  type GroupRequest,
  type GroupStats,
  type ListQuery,
  matchesPattern,
  PageSize,
  type ReplayQuery,
  type StoredEvent,
} from '@nexus/event-bus'
import { isWanted } from '../group/pattern-sets.js'
import type { IdIndex } from '../streams/id-index.js'
import type { DeliveryState, KnownGroup, LetterState, State } from '../streams/state.js'

/** Messages read at once. */
const WINDOW = 100
/** A page looks at no more events than this. */
const MAX_SCANNED = 5_000

/** Reads what the store wrote. JetStream has no index by type: a rare one is found by looking. */
export class Query {
  readonly #state: State
  readonly #index: IdIndex
  readonly #manager: JetStreamManager

  constructor(state: State, index: IdIndex, manager: JetStreamManager) {
    this.#state = state
    this.#index = index
    this.#manager = manager
  }

  async get(id: string, source?: string): Promise<EventDetails | undefined> {
    const message = await this.#eventOf(id, source)
    if (message === undefined) return undefined
    const positions = await this.#positions(await this.#state.groups())
    return { ...stored(message), deliveries: await this.#deliveries(message, positions) }
  }

  async list(query: ListQuery): Promise<EventPage> {
    const reverse = query.order !== 'asc'
    const { first, last } = await this.#bounds()
    const since = query.since === undefined ? first : await this.#firstAtOrAfter(query.since)
    const until = query.until === undefined ? last : (await this.#firstAtOrAfter(query.until)) - 1
    const cursor = query.cursor === undefined ? undefined : Number(query.cursor)
    const from = reverse || cursor === undefined ? since : Math.max(since, cursor + 1)
    const to = !reverse || cursor === undefined ? until : Math.min(until, cursor - 1)
    const limit = query.limit ?? 20
    const positions =
      query.status === undefined ? [] : await this.#positions(await this.#state.groups())

    const page: EventPage = { events: [] }
    const pageSize = new PageSize(query.maxPageBytes)
    let scanned = 0
    let at = reverse ? to : from
    const wanted = query.type ?? query.source ?? query.status
    while (at >= from && at <= to && page.cursor === undefined) {
      const size = wanted === undefined ? Math.min(WINDOW, limit + 1) : WINDOW
      for (const message of await this.#window(at, reverse ? from : to, size)) {
        if (page.events.length === limit || pageSize.isFull) {
          page.cursor = String(reverse ? message.seq + 1 : message.seq - 1)
          break
        }
        if (!(await this.#matches(message, query, positions))) continue
        page.events.push(stored(message))
        pageSize.add(message.string())
      }
      at += reverse ? -size : size
      scanned += size
      if (page.cursor === undefined && scanned >= MAX_SCANNED && at >= from && at <= to) {
        page.cursor = String(reverse ? at + 1 : at - 1)
      }
    }
    const total = await this.#count(query, Math.max(0, until - since + 1))
    if (total !== undefined) page.total = total
    return page
  }

  async startAfter({ name, start }: GroupRequest): Promise<number> {
    const { first, last } = await this.#bounds()
    if (start === 'now') return last
    if (start === 'beginning') return first - 1
    if ('time' in start) return (await this.#firstAtOrAfter(start.time)) - 1
    const message = await this.#eventOf(start.id, start.source)
    if (message !== undefined) return message.seq - 1
    throw new EventBusError(
      'NOT_FOUND',
      `group ${name}: expected the id of a stored event to start from, got ${start.id}`,
      { details: { group: name, id: start.id } },
    )
  }

  async groupsNamed(names: readonly string[] | undefined): Promise<KnownGroup[]> {
    const groups = await this.#state.groups()
    const missing = names?.find((name) => !groups.some((group) => group.name === name))
    if (missing !== undefined) {
      throw new EventBusError(
        'NOT_FOUND',
        `groups: expected names of known groups, got ${missing}`,
        { details: { group: missing } },
      )
    }
    return groups.filter(({ name }) => names === undefined || names.includes(name))
  }

  async *eventsToReplay(query: ReplayQuery): AsyncGenerator<{ sequence: number; type: string }> {
    const typeOf = (message: StoredMsg): string => this.#state.names.typeOf(message.subject)
    if ('id' in query) {
      const message = await this.#eventOf(query.id, query.source)
      if (message === undefined) {
        throw new EventBusError('NOT_FOUND', `id: expected a stored event, got ${query.id}`, {
          details: { id: query.id },
        })
      }
      yield { sequence: message.seq, type: typeOf(message) }
      return
    }
    const { first, last } = await this.#bounds()
    const until = query.until === undefined ? last : (await this.#firstAtOrAfter(query.until)) - 1
    let at = query.since === undefined ? first : await this.#firstAtOrAfter(query.since)
    for (; at <= until; at += WINDOW) {
      for (const message of await this.#window(at, until, WINDOW)) {
        const type = typeOf(message)
        if (matchesPattern(query.type ?? '>', type)) yield { sequence: message.seq, type }
      }
    }
  }

  async listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    const all = await this.deadSequences(query)
    const limit = query.limit ?? 20
    const after =
      query.cursor === undefined ? undefined : (JSON.parse(query.cursor) as [string, number])
    const rest = all.filter(
      ({ group, sequence }) =>
        after === undefined || group > after[0] || (group === after[0] && sequence < after[1]),
    )
    const page: DeadLetterPage = { deadLetters: [], total: all.length }
    const size = new PageSize(query.maxPageBytes)
    const letters = await Promise.all(rest.slice(0, limit).map((letter) => this.#letter(letter)))
    for (const [i, letter] of letters.entries()) {
      if (letter !== undefined) {
        page.deadLetters.push(letter)
        size.add(JSON.stringify(letter.event), letter.error, letter.record)
      }
      const isLast = i === letters.length - 1 || size.isFull
      if (isLast && rest.length > i + 1) {
        const { group, sequence } = rest[i]!
        page.cursor = JSON.stringify([group, sequence])
      }
      if (isLast) break
    }
    return page
  }

  /** KnownGroup by group, newest first. */
  async deadSequences(query: DeadLetterQuery): Promise<{ group: string; sequence: number }[]> {
    const { names } = this.#state
    const groups =
      query.group === undefined
        ? (await this.#state.groups()).map(({ name }) => name)
        : [query.group]
    const only =
      query.id === undefined ? undefined : (await this.#eventOf(query.id, query.source))?.seq
    if (query.id !== undefined && only === undefined) return []
    const found = await Promise.all(
      groups.map(async (group) => {
        const subjects = await this.#state.subjects(names.dead(group, '*'))
        const sequences = subjects.map((subject) => Number(names.lastToken(subject)))
        return sequences
          .filter((sequence) => only === undefined || sequence === only)
          .sort((a, b) => b - a)
          .map((sequence) => ({ group, sequence }))
      }),
    )
    return found.flat()
  }

  async stats(): Promise<{ events: number; bytes: number; groups: GroupStats[] }> {
    const { names } = this.#state
    const { state } = await this.#manager.streams.info(names.events)
    const groups = await Promise.all(
      (await this.#state.groups()).map(async ({ name, patterns }) => {
        const [own, redelivery, later, dead] = await Promise.all([
          this.#manager.consumers.info(names.events, name),
          this.#manager.consumers.info(names.redelivery, name),
          this.#state.subjects(names.delayedOf(name, '*'), names.redelivery),
          this.#state.subjects(names.dead(name, '*')),
        ])
        return {
          group: name,
          patterns,
          // JetStream counts what waits for a retry among what is not acked, older servers also what is not due.
          running: own.num_ack_pending + redelivery.num_ack_pending,
          scheduled: later.length,
          deadLettered: dead.length,
          behind: own.num_pending + redelivery.num_pending,
        }
      }),
    )
    return { events: state.messages, bytes: state.bytes, groups }
  }

  /** @throws EventBusError `AMBIGUOUS_ID` */
  async #eventOf(id: string, source?: string): Promise<StoredMsg | undefined> {
    const keys = await this.#index.find(id, source)
    const found = await Promise.all(keys.map((key) => this.#state.eventOf(key)))
    const events = found.filter((message) => message !== undefined)
    const sources = new Set(events.map((message) => message.json<CloudEvent>().source))
    if (sources.size > 1) throw ambiguousId(id, [...sources])
    return events.at(-1)
  }

  async #bounds(): Promise<{ first: number; last: number }> {
    const { state } = await this.#manager.streams.info(this.#state.names.events)
    return { first: Math.max(1, state.first_seq), last: state.last_seq }
  }

  /** Up to `size` messages from `at` towards `limit`. */
  async #window(at: number, limit: number, size: number): Promise<StoredMsg[]> {
    const step = limit < at ? -1 : 1
    const length = Math.min(size, Math.abs(limit - at) + 1)
    const sequences = Array.from({ length }, (_, i) => at + i * step)
    const messages = await Promise.all(sequences.map((sequence) => this.#state.event(sequence)))
    return messages.filter((message) => message !== undefined)
  }

  async #matches(
    message: StoredMsg,
    query: ListQuery,
    positions: readonly Position[],
  ): Promise<boolean> {
    const { type, source, status } = query
    if (type !== undefined && !matchesPattern(type, this.#state.names.typeOf(message.subject))) {
      return false
    }
    if (source !== undefined && message.json<CloudEvent>().source !== source) return false
    if (status === undefined) return true
    const deliveries = await this.#deliveries(message, positions)
    return deliveries.some((delivery) => delivery.status === status)
  }

  /** A consumer that is asked for nothing tells how many events it would get. */
  async #count(query: ListQuery, between: number): Promise<number | undefined> {
    const timed = query.since !== undefined || query.until !== undefined
    if (query.status !== undefined || query.source !== undefined) return undefined
    if (query.type === undefined) return between
    if (timed) return undefined
    const { events } = this.#state.names
    const { name, num_pending } = await this.#manager.consumers.add(events, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      filter_subject: this.#state.names.eventsOf(query.type),
      inactive_threshold: nanos(5_000),
      mem_storage: true,
    })
    await this.#manager.consumers.delete(events, name)
    return num_pending
  }

  async #firstAtOrAfter(time: string | Date): Promise<number> {
    const wanted = new Date(time).getTime()
    const { first, last } = await this.#bounds()
    let low = first
    let high = last + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const message = await this.#state.event(middle)
      if (message === undefined || message.time.getTime() < wanted) low = middle + 1
      else high = middle
    }
    return low
  }

  async #positions(groups: readonly KnownGroup[]): Promise<Position[]> {
    return Promise.all(
      groups.map(async (group) => {
        const info = await this.#manager.consumers.info(this.#state.names.events, group.name)
        return { ...group, handedOutUntil: info.delivered.stream_seq }
      }),
    )
  }

  async #deliveries(message: StoredMsg, positions: readonly Position[]): Promise<Delivery[]> {
    const type = this.#state.names.typeOf(message.subject)
    const deliveries = await Promise.all(
      positions.map(async (position): Promise<Delivery | undefined> => {
        const kept = await this.#state.read<DeliveryState>(
          this.#state.names.delivery(position.name, message.seq),
        )
        if (kept !== undefined) {
          const {
            updatedAtMs,
            nextAttemptAtMs,
            owner: _,
            redelivery: __,
            asked: ___,
            ...rest
          } = kept
          return {
            group: position.name,
            ...rest,
            updatedAt: new Date(updatedAtMs).toISOString(),
            ...(nextAttemptAtMs !== undefined && {
              nextAttemptAt: new Date(nextAttemptAtMs).toISOString(),
            }),
          }
        }
        if (!isWanted(position.sets, type, message.seq)) return undefined
        const running = message.seq <= position.handedOutUntil
        return {
          group: position.name,
          status: running ? 'running' : 'pending',
          attempts: Number(running),
          replays: 0,
          updatedAt: message.time.toISOString(),
        }
      }),
    )
    return deliveries.filter((delivery) => delivery !== undefined)
  }

  async #letter({
    group,
    sequence,
  }: {
    group: string
    sequence: number
  }): Promise<DeadLetter | undefined> {
    const [message, letter] = await Promise.all([
      this.#state.event(sequence),
      this.#state.read<LetterState>(this.#state.names.dead(group, sequence)),
    ])
    if (message === undefined || letter === undefined) return undefined
    const { atMs, ...rest } = letter
    return { ...stored(message), ...rest, group, deadLetteredAt: new Date(atMs).toISOString() }
  }
}

interface Position extends KnownGroup {
  handedOutUntil: number
}

function stored(message: StoredMsg): StoredEvent {
  return {
    event: message.json<CloudEvent>(),
    sequence: message.seq,
    publishedAt: message.time.toISOString(),
  }
}
