import {
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
  type ReplayQuery,
  type StoredEvent,
} from '@nexus/event-bus'
import type { ChainableCommander, Redis } from 'ioredis'

/** Sends commands and waits for their answer. */
export type Ask = <T>(request: (connection: Redis) => Promise<T>) => Promise<T>

interface Group {
  name: string
  patterns: string[]
  startAfter: number
}

interface Entry extends StoredEvent {
  publishedAtMs: number
}

/** Events looked at by one request while a filter is applied. */
const SCAN = 200
/** A page looks at no more events than this. */
const MAX_SCANNED = 5_000

/** Reads what the scripts of `scripts/` wrote. */
export class RedisQuery {
  readonly #prefix: string
  readonly #ask: Ask

  constructor(prefix: string, ask: Ask) {
    this.#prefix = prefix
    this.#ask = ask
  }

  async get(id: string): Promise<EventDetails | undefined> {
    const sequence = await this.#ask((redis) => redis.hget(this.#key('ids'), id))
    const [entry] = sequence === null ? [] : await this.#read([Number(sequence)])
    if (entry === undefined) return undefined
    const [deliveries] = await this.#deliveries([entry])
    return { ...stored(entry), deliveries: deliveries! }
  }

  async list(query: ListQuery): Promise<EventPage> {
    const reverse = query.order !== 'asc'
    const { first, head } = await this.#bounds()
    const since = query.since === undefined ? first : await this.#firstAtOrAfter(query.since)
    const until = query.until === undefined ? head : (await this.#firstAtOrAfter(query.until)) - 1
    const cursor = query.cursor === undefined ? undefined : Number(query.cursor)
    let from = reverse || cursor === undefined ? since : Math.max(since, cursor + 1)
    let to = !reverse || cursor === undefined ? until : Math.min(until, cursor - 1)
    const types = query.type === undefined ? undefined : await this.#typesMatching(query.type)
    const limit = query.limit ?? 20

    const page: EventPage = { events: [] }
    let scanned = 0
    while (page.events.length < limit && scanned < MAX_SCANNED) {
      const count = query.status === undefined ? limit - page.events.length + 1 : SCAN
      const sequences = await this.#candidates(query, types, from, to, reverse, count)
      if (sequences.length === 0) break
      const entries = await this.#read(sequences)
      const deliveries = query.status === undefined ? undefined : await this.#deliveries(entries)
      for (const [i, entry] of entries.entries()) {
        if (page.events.length === limit) {
          page.cursor = String(reverse ? entry.sequence + 1 : entry.sequence - 1)
          break
        }
        const wantedStatus =
          deliveries === undefined || deliveries[i]!.some(({ status }) => status === query.status)
        const wantedSource = query.source === undefined || entry.event.source === query.source
        if (wantedStatus && wantedSource) page.events.push(stored(entry))
      }
      scanned += sequences.length
      if (reverse) to = sequences.at(-1)! - 1
      else from = sequences.at(-1)! + 1
    }
    const more = await this.#candidates(query, types, from, to, reverse, 1)
    if (page.cursor === undefined && more.length > 0)
      page.cursor = String(reverse ? to + 1 : from - 1)
    const total = await this.#count(query, types, Math.max(0, until - since + 1))
    if (total !== undefined) page.total = total
    return page
  }

  /** Where a group starts that does not exist yet; -1 stands for the end. */
  async startAfter({ name, start }: GroupRequest): Promise<number> {
    if (start === 'now') return -1
    if (start === 'beginning') return 0
    if ('time' in start) return (await this.#firstAtOrAfter(start.time)) - 1
    const known = await this.#ask((redis) => redis.hexists(this.#key('groups'), name))
    const sequence = await this.#ask((redis) => redis.hget(this.#key('ids'), start.id))
    if (sequence !== null) return Number(sequence) - 1
    if (known === 1) return 0
    throw new EventBusError(
      'NOT_FOUND',
      `group ${name}: expected the id of a stored event to start from, got ${start.id}`,
      { details: { group: name, id: start.id } },
    )
  }

  /** All groups, or those that are named. */
  async knownGroups(names: readonly string[] | undefined): Promise<string[]> {
    const groups = (await this.#groups()).map(({ name }) => name)
    const missing = names?.find((name) => !groups.includes(name))
    if (missing === undefined) return names === undefined ? groups : [...names]
    throw new EventBusError('NOT_FOUND', `groups: expected names of known groups, got ${missing}`, {
      details: { group: missing },
    })
  }

  async *sequencesToReplay(query: ReplayQuery, chunk: number): AsyncGenerator<number[]> {
    if ('id' in query) {
      const sequence = await this.#ask((redis) => redis.hget(this.#key('ids'), query.id))
      if (sequence === null) {
        throw new EventBusError('NOT_FOUND', `id: expected a stored event, got ${query.id}`, {
          details: { id: query.id },
        })
      }
      yield [Number(sequence)]
      return
    }
    const { first, head } = await this.#bounds()
    const until = query.until === undefined ? head : (await this.#firstAtOrAfter(query.until)) - 1
    const types = query.type === undefined ? undefined : await this.#typesMatching(query.type)
    let from = query.since === undefined ? first : await this.#firstAtOrAfter(query.since)
    for (;;) {
      const sequences = await this.#candidates({}, types, from, until, false, chunk)
      if (sequences.length === 0) return
      yield sequences
      from = sequences.at(-1)! + 1
    }
  }

  async listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    const limit = query.limit ?? 20
    const after =
      query.cursor === undefined ? undefined : (JSON.parse(query.cursor) as [string, number])
    const page: DeadLetterPage = { deadLetters: [], total: 0 }
    for (const group of await this.#groupsWanted(query)) {
      const key = this.#key(`dead:${group}`)
      const only = await this.#sequenceOf(query.id)
      page.total +=
        only === undefined
          ? await this.#ask((redis) => redis.zcard(key))
          : Number((await this.#ask((redis) => redis.zscore(key, String(only)))) !== null)
      if (page.cursor !== undefined || (after !== undefined && group < after[0])) continue
      const below = after !== undefined && group === after[0] ? `(${after[1]}` : '+inf'
      const wanted = limit - page.deadLetters.length
      const sequences = (
        await this.#ask((redis) =>
          redis.zrevrangebyscore(key, only ?? below, only ?? '-inf', 'LIMIT', 0, wanted + 1),
        )
      ).map(Number)
      for (const letter of await this.#letters(group, sequences.slice(0, wanted))) {
        page.deadLetters.push(letter)
      }
      if (sequences.length > wanted) {
        const last = page.deadLetters.at(-1)
        page.cursor = JSON.stringify(last === undefined ? after : [last.group, last.sequence])
      }
    }
    return page
  }

  /** Dead letters, group by group. */
  async *letters(query: DeadLetterQuery, chunk: number): AsyncGenerator<[string, number[]]> {
    const only = await this.#sequenceOf(query.id)
    for (const group of await this.#groupsWanted(query)) {
      const key = this.#key(`dead:${group}`)
      const all = await this.#ask((redis) => redis.zrange(key, '0', '-1'))
      const wanted = all.map(Number).filter((sequence) => only === undefined || sequence === only)
      for (let at = 0; at < wanted.length; at += chunk) yield [group, wanted.slice(at, at + chunk)]
    }
  }

  async stats(): Promise<{ events: number; bytes: number; groups: GroupStats[] }> {
    const { first, head } = await this.#bounds()
    const bytes = await this.#ask((redis) => redis.hget(this.#key('meta'), 'bytes'))
    const groups: GroupStats[] = []
    for (const { name, patterns } of await this.#groups()) {
      const [behind, scheduled, running, deadLettered] = await this.#pipeline<number>((pipeline) =>
        pipeline
          .zcard(this.#key(`ready:${name}`))
          .zcard(this.#key(`due:${name}`))
          .zcard(this.#key(`claims:${name}`))
          .zcard(this.#key(`dead:${name}`)),
      )
      groups.push({
        group: name,
        patterns,
        running: running!,
        scheduled: scheduled!,
        deadLettered: deadLettered!,
        behind: behind!,
      })
    }
    return { events: head - first + 1, bytes: Number(bytes ?? 0), groups }
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`
  }

  /** Sequences of the oldest and the newest event. */
  async #bounds(): Promise<{ first: number; head: number }> {
    const meta = await this.#ask((redis) => redis.hmget(this.#key('meta'), 'first', 'head'))
    return { first: Number(meta[0] ?? 1), head: Number(meta[1] ?? 0) }
  }

  async #groups(): Promise<Group[]> {
    const entries = await this.#ask((redis) => redis.hgetall(this.#key('groups')))
    return Object.entries(entries)
      .map(([name, json]) => ({ name, ...(JSON.parse(json) as Omit<Group, 'name'>) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async #groupsWanted({ group }: DeadLetterQuery): Promise<string[]> {
    return group === undefined ? (await this.#groups()).map(({ name }) => name) : [group]
  }

  /** Sequence of an id; 0, which no event has, when there is none. */
  async #sequenceOf(id: string | undefined): Promise<number | undefined> {
    if (id === undefined) return undefined
    return Number((await this.#ask((redis) => redis.hget(this.#key('ids'), id))) ?? 0)
  }

  async #typesMatching(pattern: string): Promise<string[]> {
    if (!/[*>]/.test(pattern)) return [pattern]
    const types = await this.#ask((redis) => redis.smembers(this.#key('types')))
    return types.filter((type) => matchesPattern(pattern, type))
  }

  /** The next sequences that may match, from `from` to `to`, both included. */
  async #candidates(
    query: ListQuery,
    types: readonly string[] | undefined,
    from: number,
    to: number,
    reverse: boolean,
    count: number,
  ): Promise<number[]> {
    if (from > to) return []
    const indexes =
      types?.map((type) => `type:${type}`) ??
      (query.source === undefined ? undefined : [`source:${query.source}`])
    if (indexes === undefined) {
      const length = Math.min(count, to - from + 1)
      return Array.from({ length }, (_, i) => (reverse ? to - i : from + i))
    }
    const found = await this.#pipeline<string[]>((pipeline) => {
      for (const index of indexes) {
        const key = this.#key(index)
        if (reverse) pipeline.zrevrangebyscore(key, to, from, 'LIMIT', 0, count)
        else pipeline.zrangebyscore(key, from, to, 'LIMIT', 0, count)
      }
      return pipeline
    })
    const sequences = found.flat().map(Number)
    return sequences.sort((a, b) => (reverse ? b - a : a - b)).slice(0, count)
  }

  async #count(
    query: ListQuery,
    types: readonly string[] | undefined,
    between: number,
  ): Promise<number | undefined> {
    const timed = query.since !== undefined || query.until !== undefined
    const filters = Number(types !== undefined) + Number(query.source !== undefined) + Number(timed)
    if (query.status !== undefined || filters > 1) return undefined
    if (types?.length === 0) return 0
    if (types !== undefined) {
      const counts = await this.#pipeline<number>((pipeline) => {
        for (const type of types) pipeline.zcard(this.#key(`type:${type}`))
        return pipeline
      })
      return counts.reduce((sum, count) => sum + count, 0)
    }
    const { source } = query
    if (source === undefined) return between
    return this.#ask((redis) => redis.zcard(this.#key(`source:${source}`)))
  }

  async #read(sequences: readonly number[]): Promise<Entry[]> {
    const found = await this.#pipeline<[id: string, fields: string[]][]>((pipeline) => {
      for (const sequence of sequences) {
        pipeline.xrange(this.#key('events'), `${sequence}-0`, `${sequence}-0`)
      }
      return pipeline
    })
    return found.flat().map(([id, fields]) => {
      const publishedAtMs = Number(fields[5])
      return {
        event: JSON.parse(fields[9]!) as CloudEvent,
        sequence: Number.parseInt(id, 10),
        publishedAtMs,
        publishedAt: new Date(publishedAtMs).toISOString(),
      }
    })
  }

  async #firstAtOrAfter(time: string | Date): Promise<number> {
    const wanted = new Date(time).getTime()
    const { first, head } = await this.#bounds()
    let low = first
    let high = head + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const [entry] = await this.#read([middle])
      if (entry === undefined || entry.publishedAtMs < wanted) low = middle + 1
      else high = middle
    }
    return low
  }

  async #deliveries(entries: readonly Entry[]): Promise<Delivery[][]> {
    const groups = await this.#groups()
    const answers = await this.#pipeline<(string | null)[]>((pipeline) => {
      for (const { name } of groups) {
        const sequences = entries.map(({ sequence }) => String(sequence))
        if (sequences.length === 0) continue
        pipeline.hmget(this.#key(`deliveries:${name}`), ...sequences)
        pipeline.zrange(this.#key(`claims:${name}`), '0', '-1')
      }
      return pipeline
    })
    return entries.map((entry, i) => {
      const own: Delivery[] = []
      for (const [g, group] of groups.entries()) {
        const kept = answers[g * 2]?.[i] ?? undefined
        const claims = answers[g * 2 + 1] ?? []
        const claimed = claims.some((work) => Number(work?.split(':')[0]) === entry.sequence)
        const delivery = toDelivery(group, entry, kept, claimed)
        if (delivery !== undefined) own.push(delivery)
      }
      return own
    })
  }

  async #letters(group: string, sequences: readonly number[]): Promise<DeadLetter[]> {
    if (sequences.length === 0) return []
    const key = this.#key(`letters:${group}`)
    const details = await this.#ask((redis) => redis.hmget(key, ...sequences.map(String)))
    const entries = await this.#read(sequences)
    return entries.map((entry) => {
      const json = details[sequences.indexOf(entry.sequence)]!
      const { atMs, ...letter } = JSON.parse(json) as Omit<DeadLetter, keyof StoredEvent> & {
        atMs: number
      }
      return { ...stored(entry), ...letter, group, deadLetteredAt: new Date(atMs).toISOString() }
    })
  }

  async #pipeline<T>(build: (pipeline: ChainableCommander) => ChainableCommander): Promise<T[]> {
    const answers = await this.#ask((redis) => build(redis.pipeline()).exec())
    return (answers ?? []).map(([error, value]) => {
      if (error !== null) throw error
      return value as T
    })
  }
}

function stored({ event, sequence, publishedAt }: Entry): StoredEvent {
  return { event, sequence, publishedAt }
}

function toDelivery(
  { name, patterns, startAfter }: Group,
  { event, sequence, publishedAt }: Entry,
  kept: string | undefined,
  claimed: boolean,
): Delivery | undefined {
  if (kept === undefined) {
    const wanted = patterns.some((pattern) => matchesPattern(pattern, event.type))
    if (!wanted || sequence <= startAfter) return undefined
    const status = claimed ? 'running' : 'pending'
    return { group: name, status, attempts: Number(claimed), replays: 0, updatedAt: publishedAt }
  }
  const { updatedAtMs, nextAttemptAtMs, ...rest } = JSON.parse(kept) as Omit<
    Delivery,
    'group' | 'updatedAt' | 'nextAttemptAt'
  > & { updatedAtMs: number; nextAttemptAtMs?: number }
  // A kept claim between two attempts is retrying, though it is claimed.
  const running = claimed && rest.status === 'pending'
  return {
    group: name,
    ...rest,
    ...(running && { status: 'running' as const }),
    updatedAt: new Date(updatedAtMs).toISOString(),
    ...(nextAttemptAtMs !== undefined && {
      nextAttemptAt: new Date(nextAttemptAtMs).toISOString(),
    }),
  }
}
