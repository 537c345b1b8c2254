import {
  type DeadLetter,
  type DeadLetterListQuery,
  type DeadLetterPage,
  type DeadLetterQuery,
  PageSize,
} from '@nexus/event-bus'
import { deadLetterCursor, readDeadLetterCursor } from '@nexus/event-bus/store'
import type { RedisReader } from '../connection/reader.js'
import { knownGroups } from '../group/known-groups.js'
import type { RedisEvents } from './events.js'
import type { StoredDelivery } from './stored-delivery.js'
import { toStoredEvent } from './stored-event.js'

/** Reads what groups gave up on. */
export class RedisDeadLetters {
  readonly #reader: RedisReader
  readonly #events: RedisEvents

  constructor(reader: RedisReader, events: RedisEvents) {
    this.#reader = reader
    this.#events = events
  }

  async list(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    const limit = query.limit ?? 20
    const after = readDeadLetterCursor(query.cursor)
    const only = await this.#wanted(query)
    const page: DeadLetterPage = { deadLetters: [], total: 0 }
    const size = new PageSize(query.maxPageBytes)
    for (const group of await this.#groupsWanted(query)) {
      const key = this.#reader.key(`dead:${group}`)
      page.total +=
        only === undefined
          ? // Without the mark of the key.
            await this.#reader.ask((redis) => redis.zcount(key, '-inf', '(inf'))
          : Number((await this.#reader.ask((redis) => redis.zscore(key, String(only)))) !== null)
      if (page.cursor !== undefined || (after !== undefined && group < after[0])) continue
      const below = after !== undefined && group === after[0] ? `(${after[1]}` : '(inf'
      const wanted = limit - page.deadLetters.length
      const sequences = (
        await this.#reader.ask((redis) =>
          redis.zrevrangebyscore(key, only ?? below, only ?? '-inf', 'LIMIT', 0, wanted + 1),
        )
      ).map(Number)
      const first = await this.#events.firstOf(sequences.slice(0, wanted), query.maxPageBytes)
      const letters = await this.#letters(group, first)
      let taken = 0
      for (const letter of letters) {
        if (size.isFull) break
        page.deadLetters.push(letter)
        size.add(JSON.stringify(letter.event), letter.error, letter.record)
        taken += 1
      }
      if (sequences.length > first.length || taken < letters.length) {
        const last = page.deadLetters.at(-1)
        page.cursor =
          last === undefined ? query.cursor! : deadLetterCursor([last.group, last.sequence])
      }
    }
    return page
  }

  /** Sequences of dead letters, group by group, at most `chunk` at a time; one given up again meanwhile is not met twice. */
  async *sequences(query: DeadLetterQuery, chunk: number): AsyncGenerator<[string, number[]]> {
    const only = await this.#wanted(query)
    for (const group of await this.#groupsWanted(query)) {
      let after: string | number = only ?? '-inf'
      for (;;) {
        const found = await this.#reader.ask((redis) =>
          redis.zrangebyscore(
            this.#reader.key(`dead:${group}`),
            after,
            only ?? '(inf',
            'LIMIT',
            0,
            chunk,
          ),
        )
        if (found.length > 0) yield [group, found.map(Number)]
        if (found.length < chunk) break
        after = `(${found.at(-1)}`
      }
    }
  }

  async #groupsWanted({ group }: DeadLetterQuery): Promise<string[]> {
    return group === undefined ? (await knownGroups(this.#reader)).map(({ name }) => name) : [group]
  }

  /** The sequence of the event asked for, if one is; 0, which no event has, where it is not stored. */
  async #wanted({ id, source }: DeadLetterQuery): Promise<number | undefined> {
    return id === undefined ? undefined : ((await this.#events.sequenceOf(id, source)) ?? 0)
  }

  async #letters(group: string, sequences: readonly number[]): Promise<DeadLetter[]> {
    if (sequences.length === 0) return []
    const key = this.#reader.key(`deliveries:${group}`)
    const records = await this.#reader.ask((redis) => redis.hmget(key, ...sequences.map(String)))
    const entries = await this.#events.read(sequences)
    return entries.flatMap((entry) => {
      const json = records[sequences.indexOf(entry.sequence)]
      const record = json == null ? undefined : (JSON.parse(json) as StoredDelivery)
      // It may be none any more since its sequence was read.
      if (record?.status !== 'dead-lettered') return []
      const { attempts, updatedAtMs, error, record: result } = record
      return [
        {
          ...toStoredEvent(entry),
          group,
          attempts,
          deadLetteredAt: new Date(updatedAtMs).toISOString(),
          error: error!,
          ...(result !== undefined && { record: result }),
        },
      ]
    })
  }
}
