import type { EventKey, Names } from './names.js'
import type { State } from './state.js'

/** Source and type of an event with the id that the entry stands under. */
type Entry = [source: string, type: string]

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
    const subject = this.#names.id(id)
    let entries: Entry[] = [[source, type]]
    let revision = 0
    while ((await this.#state.replace(subject, entries, revision)) === undefined) {
      const found = await this.#state.revised<Entry[]>(subject)
      const known = found?.value ?? []
      if (known.some((entry) => entry[0] === source && entry[1] === type)) return
      entries = [...known, [source, type]]
      revision = found?.revision ?? 0
    }
  }

  /** The events with an id, those found last at the end. */
  async find(id: string, source?: string): Promise<EventKey[]> {
    const entries = (await this.#state.read<Entry[]>(this.#names.id(id))) ?? []
    return entries
      .filter(([of]) => source === undefined || of === source)
      .map(([of, type]) => ({ source: of, id, type }))
  }

  async remove({ source, id, type }: EventKey): Promise<void> {
    const subject = this.#names.id(id)
    for (;;) {
      const found = await this.#state.revised<Entry[]>(subject)
      if (found === undefined) return
      const rest = found.value.filter((entry) => entry[0] !== source || entry[1] !== type)
      if (rest.length === 0) {
        await this.#state.take(subject)
        return
      }
      if ((await this.#state.replace(subject, rest, found.revision)) !== undefined) return
    }
  }
}
