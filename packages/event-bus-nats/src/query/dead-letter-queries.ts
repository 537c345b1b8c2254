import {
  type CloudEvent,
  type DeadLetter,
  type DeadLetterListQuery,
  type DeadLetterPage,
  type DeadLetterQuery,
  PageSize,
} from '@nexus/event-bus'
import { deadLetterCursor, isAfterCursor, readDeadLetterCursor } from '@nexus/event-bus/store'
import type { Events } from '../streams/events.js'
import { isAbout, type LetterState, type State } from '../streams/state.js'
import type { EventLookup } from './event-lookup.js'
import { toStoredEvent } from './to-stored-event.js'

/** Where a dead letter is. */
export interface LetterKey {
  group: string
  sequence: number
}

/** Reads dead letters. */
export class DeadLetterQueries {
  readonly #state: State
  readonly #events: Events
  readonly #lookup: EventLookup

  constructor(state: State, events: Events, lookup: EventLookup) {
    this.#state = state
    this.#events = events
    this.#lookup = lookup
  }

  async list(query: DeadLetterListQuery): Promise<DeadLetterPage> {
    const all = await this.find(query)
    const limit = query.limit ?? 20
    const after = readDeadLetterCursor(query.cursor)
    const rest = all.filter(({ group, sequence }) => isAfterCursor([group, sequence], after))
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
        page.cursor = deadLetterCursor([group, sequence])
      }
      if (isLast) break
    }
    return page
  }

  /** Group by group, newest first. */
  async find({ group: wanted, id, source }: DeadLetterQuery): Promise<LetterKey[]> {
    const { names } = this.#state
    const groups =
      wanted === undefined ? (await this.#state.groups()).map(({ name }) => name) : [wanted]
    const events = id === undefined ? undefined : await this.#lookup.findAll(id, source)
    const only = events && new Set(events.map(({ sequence }) => sequence))
    if (only?.size === 0) return []
    const found = await Promise.all(
      groups.map(async (group): Promise<LetterKey[]> => {
        const subjects = await this.#state.subjects(names.dead(group, '*'))
        const sequences = subjects.map((subject) => Number(names.lastToken(subject)))
        return sequences
          .filter((sequence) => only === undefined || only.has(sequence))
          .sort((a, b) => b - a)
          .map((sequence) => ({ group, sequence }))
      }),
    )
    const letters = found.flat()
    if (source === undefined || id !== undefined) return letters
    const isOfSource = await Promise.all(
      letters.map(async ({ sequence }) => {
        const event = await this.#events.at(sequence)
        return event !== undefined && (JSON.parse(event.json) as CloudEvent).source === source
      }),
    )
    return letters.filter((_, i) => isOfSource[i])
  }

  async #letter({ group, sequence }: LetterKey): Promise<DeadLetter | undefined> {
    const [event, letter] = await Promise.all([
      this.#events.at(sequence),
      this.#state.read<LetterState>(this.#state.names.dead(group, sequence)),
    ])
    if (event === undefined || letter === undefined || !isAbout(letter, event)) return undefined
    const { atMs, eventAtMs: _, ...rest } = letter
    return { ...toStoredEvent(event), ...rest, group, deadLetteredAt: new Date(atMs).toISOString() }
  }
}
