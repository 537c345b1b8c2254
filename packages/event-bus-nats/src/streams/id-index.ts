import type { EventKey, Names } from './names.js'
import type { State } from './state.js'

/** Source and type of an event with the id that the entry stands under, and its sequence if it was erased. */
type Entry = [source: string, type: string, erasedSequence?: number]

/** An event that the index knows. */
export interface IndexedKey extends EventKey {
  /** Set when the event was erased. */
  erasedSequence?: number
}

/** Finds events by their id, which several sources may use. */
export class IdIndex {
  readonly #state: State
  readonly #names: Names

  constructor(state: State) {
    this.#state = state
    this.#names = state.names
  }

  /** Makes sure that an event is found. */
  async add({ source, id, type }: EventKey): Promise<void> {
    const own: Entry = [source, type]
    if (await this.#addFirst(id, own)) return
    await this.#change(id, (entries) =>
      entries.some((entry) => isSame(entry, own)) ? undefined : [...entries, own],
    )
  }

  /** The same, unless its source used the id before; answers for which events. */
  async addNew({ source, id, type }: EventKey): Promise<IndexedKey[]> {
    const own: Entry = [source, type]
    if (await this.#addFirst(id, own)) return []
    let earlier: Entry[] = []
    await this.#change(id, (entries) => {
      earlier = entries.filter((entry) => entry[0] === source)
      return earlier.length > 0 ? undefined : [...entries, own]
    })
    return earlier.map((entry) => toKey(id, entry))
  }

  /** The events with an id, those found last at the end. */
  async find(id: string, source?: string): Promise<IndexedKey[]> {
    const entries = (await this.#state.read<Entry[]>(this.#names.id(id))) ?? []
    return entries
      .filter(([of]) => source === undefined || of === source)
      .map((entry) => toKey(id, entry))
  }

  /** From now on the event is found by its sequence, among those that were erased. */
  async markErased({ source, id, type }: EventKey, sequence: number): Promise<void> {
    const own: Entry = [source, type, sequence]
    await this.#change(id, (entries) => [...entries.filter((entry) => !isSame(entry, own)), own])
  }

  async remove({ source, id, type }: EventKey): Promise<void> {
    await this.#change(id, (entries) => entries.filter((entry) => !isSame(entry, [source, type])))
  }

  async #addFirst(id: string, entry: Entry): Promise<boolean> {
    return (await this.#state.replace(this.#names.id(id), [entry], 0)) !== undefined
  }

  /** @param change answers the new entries, or undefined to leave them as they are */
  async #change(id: string, change: (entries: Entry[]) => Entry[] | undefined): Promise<void> {
    const subject = this.#names.id(id)
    for (;;) {
      const found = await this.#state.revised<Entry[]>(subject)
      const before = found?.value ?? []
      const after = change(before)
      if (after === undefined || (before.length === 0 && after.length === 0)) return
      if (after.length === 0) {
        await this.#state.take(subject)
        return
      }
      if ((await this.#state.replace(subject, after, found?.revision ?? 0)) !== undefined) return
    }
  }
}

function isSame(one: Entry, other: Entry): boolean {
  return one[0] === other[0] && one[1] === other[1]
}

function toKey(id: string, [source, type, erasedSequence]: Entry): IndexedKey {
  return { source, id, type, ...(erasedSequence !== undefined && { erasedSequence }) }
}
