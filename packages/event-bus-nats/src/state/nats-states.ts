import type {
  GroupStates,
  JsonValue,
  ResolvedStateQuery,
  StateChange,
  StatePage,
} from '@nexus/event-bus'
import type { NatsClaim } from '../group/claim/nats-claim.js'
import { isFinal, type Revised, type State } from '../streams/state.js'

/**
 * What is stored under a key. A settlement first announces its change as `next`; the record of the delivery, which is
 * written after that, decides whether the change counts; then `next` becomes the value. A process that dies in between
 * leaves what every reader can decide.
 */
interface Kept {
  value?: JsonValue
  /** A change that counts if its owner has settled the delivery. */
  next?: { sequence: number; eventAtMs: number; owner: string; value?: JsonValue }
  /** Texts of the parts that the JSON of the value is in, where it does not fit one message. */
  parts?: number
}

/** Longer values are several messages: a server takes 1 MiB by default. */
const PART_LENGTH = 256 * 1024

/** What groups keep, as messages of the state's stream. */
export class NatsStates implements GroupStates {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  async get(group: string, key: string): Promise<JsonValue | undefined> {
    const found = await this.#read(group, key)
    if (found === undefined) return undefined
    return this.#decided(group, key, found.value)
  }

  async put(group: string, { key, value }: StateChange): Promise<void> {
    const { names } = this.#state
    if (value === undefined) {
      await this.#state.remove(names.kept(group, key))
      await this.#state.remove(names.kept(group, `${key}.*`))
      return
    }
    const text = JSON.stringify(value)
    if (text.length <= PART_LENGTH) {
      await this.#state.write(names.kept(group, key), { value } satisfies Kept)
      return
    }
    // The first message says how many there are: it comes last.
    const parts = Math.ceil(text.length / PART_LENGTH)
    for (let part = 0; part < parts; part++) {
      const piece = text.slice(part * PART_LENGTH, (part + 1) * PART_LENGTH)
      await this.#state.write(names.kept(group, `${key}.${part}`), piece)
    }
    await this.#state.write(names.kept(group, key), { parts } satisfies Kept)
  }

  async list({ group, kind, after, limit }: ResolvedStateQuery): Promise<StatePage> {
    const keys = (await this.#keys(group, kind)).sort()
    const entries: StatePage['entries'] = []
    for (const key of keys) {
      if (after !== undefined && key <= after) continue
      if (entries.length === limit) return { entries, next: entries.at(-1)!.key }
      const value = await this.get(group, key)
      if (value !== undefined) entries.push({ key, value })
    }
    return { entries }
  }

  async count(group: string, kind: string): Promise<number> {
    return (await this.#keys(group, kind)).length
  }

  /** Says what a claim changes once it is settled. Settle it next, and then call {@link finish}. */
  async announce(
    group: string,
    { sequence, time, owner }: NatsClaim,
    changes: readonly StateChange[],
  ): Promise<void> {
    for (const { key, value } of changes) {
      const ref = { sequence, eventAtMs: time.getTime(), owner }
      const next = { ...ref, ...(value !== undefined && { value }) }
      await this.#replace(group, key, async (found) => {
        if (found?.next === undefined) return { ...found, next }
        const before = await this.#decided(group, key, found)
        return { ...(before !== undefined && { value: before }), next }
      })
    }
  }

  /** Makes changes that are decided the values of their keys. */
  async finish(group: string, keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.#replace(group, key, async (found) => {
        if (found?.next === undefined) return undefined
        const value = await this.#decided(group, key, found)
        return value === undefined ? 'remove' : { value }
      })
    }
  }

  /** @param change answers undefined where nothing is to be done */
  async #replace(
    group: string,
    key: string,
    change: (found: Kept | undefined) => Promise<Kept | 'remove' | undefined>,
  ): Promise<void> {
    const subject = this.#state.names.kept(group, key)
    for (;;) {
      const found = await this.#read(group, key)
      const changed = await change(found?.value)
      if (changed === undefined) return
      if (changed === 'remove') {
        await this.#state.remove(subject, found?.revision)
        if (found?.value.parts !== undefined) {
          await this.#state.remove(this.#state.names.kept(group, `${key}.*`))
        }
        return
      }
      const stored = await this.#state.replace(subject, changed, found?.revision ?? 0)
      if (stored !== undefined) return
    }
  }

  #read(group: string, key: string): Promise<Revised<Kept> | undefined> {
    return this.#state.revised<Kept>(this.#state.names.kept(group, key))
  }

  /** The value, by whether the delivery that announced another one was settled by its owner. */
  async #decided(
    group: string,
    key: string,
    { value, parts, next }: Kept,
  ): Promise<JsonValue | undefined> {
    if (next !== undefined && (await this.#counts(group, next))) return next.value
    return parts === undefined ? value : this.#joined(group, key, parts)
  }

  async #counts(group: string, next: NonNullable<Kept['next']>): Promise<boolean> {
    const { sequence, eventAtMs, owner } = next
    const { value: record } = await this.#state.delivery(group, {
      sequence,
      time: new Date(eventAtMs),
    })
    return record !== undefined && isFinal(record) && record.owner === owner
  }

  async #joined(group: string, key: string, parts: number): Promise<JsonValue | undefined> {
    let text = ''
    for (let part = 0; part < parts; part++) {
      const piece = await this.#state.read<string>(this.#state.names.kept(group, `${key}.${part}`))
      if (piece === undefined) return undefined
      text += piece
    }
    return JSON.parse(text) as JsonValue
  }

  async #keys(group: string, kind: string): Promise<string[]> {
    const { names } = this.#state
    const subjects = await this.#state.subjects(names.kept(group, `${kind}.*`))
    return subjects.map((subject) => names.keyOf(subject))
  }
}
