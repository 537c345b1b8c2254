import {
  ambiguousId,
  DEFAULT_PAGE_BYTES,
  type ListQuery,
  matchesPattern,
  type StoredEvent,
} from '@nexus/event-bus'
import type { RedisReader } from '../connection/reader.js'
import { erasureOf, eventOf } from './stored-event.js'

export interface RedisEvent extends StoredEvent {
  publishedAtMs: number
}

/** Reads the log of events and its indexes by id, type, source and time. */
export class RedisEvents {
  readonly #reader: RedisReader

  constructor(reader: RedisReader) {
    this.#reader = reader
  }

  /** Sequences of the oldest and the newest event. */
  async bounds(): Promise<{ first: number; head: number }> {
    const key = this.#reader.key('events')
    const [oldest, newest] = await this.#reader.pipeline<[id: string][]>((pipeline) =>
      pipeline.xrange(key, '-', '+', 'COUNT', 1).xrevrange(key, '+', '-', 'COUNT', 1),
    )
    return { first: toSequence(oldest![0]?.[0] ?? '1'), head: toSequence(newest![0]?.[0] ?? '0') }
  }

  /**
   * Undefined where no such event is stored.
   *
   * @throws EventBusError `AMBIGUOUS_ID` when `source` is left out and events of several sources have the id
   */
  async sequenceOf(id: string, source?: string): Promise<number | undefined> {
    const first = await this.#reader.ask((redis) => redis.hget(this.#reader.key('ids'), id))
    if (first === null || id === '') return undefined
    const others = this.#reader.key(`same:${id}`)
    const [entry] = await this.read([toSequence(first)])
    if (source === undefined) {
      const sources = await this.#reader.ask((redis) => redis.hkeys(others))
      if (sources.length === 0) return toSequence(first)
      throw ambiguousId(id, [...(entry === undefined ? [] : [entry.event.source]), ...sources])
    }
    if (entry?.event.source === source) return entry.sequence
    const other = await this.#reader.ask((redis) => redis.hget(others, source))
    return other === null ? undefined : Number(other)
  }

  /** The types that a pattern stands for. */
  async typesMatching(pattern: string): Promise<string[]> {
    if (!/[*>]/.test(pattern)) return [pattern]
    const indexes = await this.#reader.ask((redis) => redis.smembers(this.#reader.key('indexes')))
    return indexes
      .flatMap((name) => (name.startsWith('type:') ? [name.slice('type:'.length)] : []))
      .filter((type) => matchesPattern(pattern, type))
  }

  /** The next sequences that may match, from `from` to `to`, both included. */
  async candidates(
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
      const key = this.#reader.key('events')
      const entries = await this.#reader.ask((redis) =>
        reverse
          ? redis.xrevrange(key, to, from, 'COUNT', count)
          : redis.xrange(key, from, to, 'COUNT', count),
      )
      return entries.map(([id]) => toSequence(id))
    }
    const found = await this.#reader.pipeline<string[]>((pipeline) => {
      for (const index of indexes) {
        const key = this.#reader.key(index)
        if (reverse) pipeline.zrevrangebyscore(key, to, from, 'LIMIT', 0, count)
        else pipeline.zrangebyscore(key, from, to, 'LIMIT', 0, count)
      }
      return pipeline
    })
    const sequences = found.flat().map(Number)
    return sequences.sort((a, b) => (reverse ? b - a : a - b)).slice(0, count)
  }

  /** The first of the events, at least one, that have together about so many bytes: a page reads no more of them. */
  async firstOf(
    sequences: readonly number[],
    maxBytes: number = DEFAULT_PAGE_BYTES,
  ): Promise<number[]> {
    const sizes = await this.#reader.pipeline<number>((pipeline) => {
      for (const sequence of sequences) {
        pipeline.hstrlen(this.#reader.key('bodies'), String(sequence))
      }
      return pipeline
    })
    let bytes = 0
    const count = sizes.findIndex((size) => {
      bytes += size
      return bytes >= maxBytes
    })
    return count < 0 ? [...sequences] : sequences.slice(0, count + 1)
  }

  /** Those of the events that are still stored. */
  async read(sequences: readonly number[]): Promise<RedisEvent[]> {
    if (sequences.length === 0) return []
    const fields = sequences.map(String)
    const [bodies, erasures, ...entries] = await this.#reader.pipeline<unknown>((pipeline) => {
      pipeline.hmget(this.#reader.key('bodies'), ...fields)
      pipeline.hmget(this.#reader.key('erased'), ...fields)
      for (const sequence of sequences) {
        pipeline.xrange(this.#reader.key('events'), `${sequence}-0`, `${sequence}-0`)
      }
      return pipeline
    })
    return sequences.flatMap((sequence, i) => {
      const [entry] = entries[i] as [id: string, fields: string[]][]
      const json = (bodies as (string | null)[])[i]
      if (entry === undefined || json == null) return []
      const publishedAtMs = Number(entry[1][STORED_AT])
      return {
        event: eventOf(json),
        sequence,
        publishedAtMs,
        publishedAt: new Date(publishedAtMs).toISOString(),
        ...erasureOf((erasures as (string | null)[])[i]),
      }
    })
  }

  /** Sequence of the first event stored at this time or later, where the server's clock was never set back. */
  async firstAtOrAfter(time: string | Date): Promise<number> {
    const wanted = new Date(time).getTime()
    const { first, head } = await this.bounds()
    const key = this.#reader.key('events')
    let low = first
    let high = head + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      // Dead letters that outlived their neighbours leave gaps.
      const [entry] = await this.#reader.ask((redis) =>
        redis.xrange(key, middle, high - 1, 'COUNT', 1),
      )
      if (entry === undefined || Number(entry[1][STORED_AT]) >= wanted) high = middle
      else low = toSequence(entry[0]) + 1
    }
    return low
  }
}

/** Where an entry of the stream has the time at which it was stored. */
const STORED_AT = 5

function toSequence(id: string): number {
  return Number.parseInt(id, 10)
}
