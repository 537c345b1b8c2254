import {
  type Delivery,
  EventBusError,
  type EventDetails,
  type EventPage,
  type GroupRequest,
  type GroupStats,
  type ListQuery,
  PageSize,
  type ReplayQuery,
} from '@nexus/event-bus'
import type { RedisReader } from '../connection/reader.js'
import { knownGroups } from '../group/known-groups.js'
import type { RedisEvent, RedisEvents } from './events.js'
import { toDelivery } from './stored-delivery.js'
import { toStoredEvent } from './stored-event.js'

/** Events looked at by one request while a filter is applied. */
const SCAN = 200
/** A page looks at no more events than this. */
const MAX_SCANNED = 5_000

/** Answers what is asked about events and the groups that get them. */
export class RedisQuery {
  readonly #reader: RedisReader
  readonly #events: RedisEvents

  constructor(reader: RedisReader, events: RedisEvents) {
    this.#reader = reader
    this.#events = events
  }

  /** @throws EventBusError `AMBIGUOUS_ID` */
  async event(id: string, source?: string): Promise<RedisEvent | undefined> {
    const sequence = await this.#events.sequenceOf(id, source)
    const [entry] = sequence === undefined ? [] : await this.#events.read([sequence])
    return entry
  }

  async get(id: string, source?: string): Promise<EventDetails | undefined> {
    const entry = await this.event(id, source)
    if (entry === undefined) return undefined
    const [deliveries] = await this.#deliveries([entry])
    return { ...toStoredEvent(entry), deliveries: deliveries! }
  }

  async list(query: ListQuery): Promise<EventPage> {
    const reverse = query.order !== 'asc'
    const { first, head } = await this.#events.bounds()
    const since = query.since === undefined ? first : await this.#events.firstAtOrAfter(query.since)
    const until =
      query.until === undefined ? head : (await this.#events.firstAtOrAfter(query.until)) - 1
    const cursor = query.cursor === undefined ? undefined : Number(query.cursor)
    let from = reverse || cursor === undefined ? since : Math.max(since, cursor + 1)
    let to = !reverse || cursor === undefined ? until : Math.min(until, cursor - 1)
    const types =
      query.type === undefined ? undefined : await this.#events.typesMatching(query.type)
    const limit = query.limit ?? 20

    const page: EventPage = { events: [] }
    const size = new PageSize(query.maxPageBytes)
    let scanned = 0
    while (page.events.length < limit && !size.isFull && scanned < MAX_SCANNED) {
      const count = query.status === undefined ? limit - page.events.length + 1 : SCAN
      const found = await this.#events.candidates(query, types, from, to, reverse, count)
      if (found.length === 0) break
      const sequences = await this.#events.firstOf(found, query.maxPageBytes)
      const entries = await this.#events.read(sequences)
      const deliveries = query.status === undefined ? undefined : await this.#deliveries(entries)
      for (const [i, entry] of entries.entries()) {
        if (page.events.length === limit || size.isFull) {
          page.cursor = String(reverse ? entry.sequence + 1 : entry.sequence - 1)
          break
        }
        const wantedStatus =
          deliveries === undefined || deliveries[i]!.some(({ status }) => status === query.status)
        const wantedSource = query.source === undefined || entry.event.source === query.source
        if (!wantedStatus || !wantedSource) continue
        page.events.push(toStoredEvent(entry))
        size.add(JSON.stringify(entry.event))
      }
      scanned += sequences.length
      if (reverse) to = sequences.at(-1)! - 1
      else from = sequences.at(-1)! + 1
    }
    const more = await this.#events.candidates(query, types, from, to, reverse, 1)
    if (page.cursor === undefined && more.length > 0)
      page.cursor = String(reverse ? to + 1 : from - 1)
    const total = await this.#count(query, types, since, until)
    if (total !== undefined) page.total = total
    return page
  }

  /** Where a group starts that does not exist yet; -1 stands for the end. */
  async startAfter({ name, start }: GroupRequest): Promise<number> {
    if (start === 'now') return -1
    if (start === 'beginning') return 0
    if ('time' in start) return (await this.#events.firstAtOrAfter(start.time)) - 1
    const known = await this.#reader.ask((redis) => redis.hexists(this.#reader.key('groups'), name))
    const sequence = await this.#events.sequenceOf(start.id, start.source)
    if (sequence !== undefined) return sequence - 1
    if (known === 1) return 0
    throw new EventBusError(
      'NOT_FOUND',
      `group ${name}: expected the id of a stored event to start from, got ${start.id}`,
      { details: { group: name, id: start.id } },
    )
  }

  /** All groups, or those that are named. */
  async groupsNamed(names: readonly string[] | undefined): Promise<string[]> {
    const groups = (await knownGroups(this.#reader)).map(({ name }) => name)
    const missing = names?.find((name) => !groups.includes(name))
    if (missing === undefined) return names === undefined ? groups : [...names]
    throw new EventBusError('NOT_FOUND', `groups: expected names of known groups, got ${missing}`, {
      details: { group: missing },
    })
  }

  async *sequencesToReplay(query: ReplayQuery, chunk: number): AsyncGenerator<number[]> {
    if ('id' in query) {
      const sequence = await this.#events.sequenceOf(query.id, query.source)
      if (sequence === undefined) {
        throw new EventBusError('NOT_FOUND', `id: expected a stored event, got ${query.id}`, {
          details: { id: query.id },
        })
      }
      yield [sequence]
      return
    }
    const { first, head } = await this.#events.bounds()
    const until =
      query.until === undefined ? head : (await this.#events.firstAtOrAfter(query.until)) - 1
    const types =
      query.type === undefined ? undefined : await this.#events.typesMatching(query.type)
    let from = query.since === undefined ? first : await this.#events.firstAtOrAfter(query.since)
    for (;;) {
      const sequences = await this.#events.candidates({}, types, from, until, false, chunk)
      if (sequences.length === 0) return
      yield sequences
      from = sequences.at(-1)! + 1
    }
  }

  async stats(): Promise<{ events: number; bytes: number; groups: GroupStats[] }> {
    const [events, bytes] = await this.#reader.pipeline<number | string | null>((pipeline) =>
      pipeline.xlen(this.#reader.key('events')).hget(this.#reader.key('meta'), 'bytes'),
    )
    const groups: GroupStats[] = []
    for (const { name, patterns, sets } of await knownGroups(this.#reader)) {
      const [ready, due, later, running, deadLettered, ...parked] =
        await this.#reader.pipeline<number>((pipeline) => {
          for (const kind of ['ready', 'due', 'later', 'claims', 'dead']) {
            // Without the mark of the key.
            pipeline.zcount(this.#reader.key(`${kind}:${name}`), '-inf', '(inf')
          }
          for (const { id } of sets) {
            pipeline.zcount(this.#reader.key(`parked:${name}:${id}`), '-inf', '(inf')
          }
          return pipeline
        })
      groups.push({
        group: name,
        patterns,
        running: running!,
        scheduled: due! + later!,
        deadLettered: deadLettered!,
        behind: parked.reduce((sum, count) => sum + count, ready!),
      })
    }
    return { events: Number(events), bytes: Number(bytes ?? 0), groups }
  }

  async #count(
    query: ListQuery,
    types: readonly string[] | undefined,
    since: number,
    until: number,
  ): Promise<number | undefined> {
    const timed = query.since !== undefined || query.until !== undefined
    const filters = Number(types !== undefined) + Number(query.source !== undefined) + Number(timed)
    if (query.status !== undefined || filters > 1) return undefined
    if (types?.length === 0) return 0
    if (types !== undefined) {
      const counts = await this.#reader.pipeline<number>((pipeline) => {
        for (const type of types) pipeline.zcount(this.#reader.key(`type:${type}`), '-inf', '(inf')
        return pipeline
      })
      return counts.reduce((sum, count) => sum + count, 0)
    }
    const { source } = query
    if (source !== undefined) {
      return this.#reader.ask((redis) =>
        redis.zcount(this.#reader.key(`source:${source}`), '-inf', '(inf'),
      )
    }
    if (!timed) return this.#reader.ask((redis) => redis.xlen(this.#reader.key('events')))
    const scanned = await this.#reader.ask((redis) =>
      redis.hget(this.#reader.key('meta'), 'scanned'),
    )
    // Up to there, only what had to stay is left, with gaps between.
    return since > Number(scanned ?? 0) ? Math.max(0, until - since + 1) : undefined
  }

  async #deliveries(entries: readonly RedisEvent[]): Promise<Delivery[][]> {
    const groups = await knownGroups(this.#reader)
    const answers = await this.#reader.pipeline<(string | null)[]>((pipeline) => {
      for (const { name } of groups) {
        const sequences = entries.map(({ sequence }) => String(sequence))
        if (sequences.length === 0) continue
        pipeline.hmget(this.#reader.key(`deliveries:${name}`), ...sequences)
        pipeline.zrange(this.#reader.key(`claims:${name}`), '0', '-1')
      }
      return pipeline
    })
    return entries.map((entry, i) => {
      const own: Delivery[] = []
      for (const [g, group] of groups.entries()) {
        const stored = answers[g * 2]?.[i] ?? undefined
        const claims = answers[g * 2 + 1] ?? []
        const claimed = claims.some((work) => Number(work?.split(':')[0]) === entry.sequence)
        const delivery = toDelivery(group, entry, stored, claimed)
        if (delivery !== undefined) own.push(delivery)
      }
      return own
    })
  }
}
