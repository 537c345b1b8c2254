import type { RangeOptions } from '../log/log-engine.js'

type Key = [id: string, source: string]
type Entry = { key: Key; value: number }

/** Sequences by id and source: a sorted array would move half of itself on each random id. */
export class IdTable {
  /** One entry is the common case; a map is made for an id that several sources use. */
  readonly #entries = new Map<string, Entry | Map<string, Entry>>()

  get([id, source]: Key): number | undefined {
    const found = this.#entries.get(id)
    if (found instanceof Map) return found.get(source)?.value
    return found?.key[1] === source ? found.value : undefined
  }

  put(key: Key, value: number): void {
    const [id, source] = key
    const found = this.#entries.get(id)
    if (found instanceof Map) found.set(source, { key, value })
    else if (found === undefined || found.key[1] === source) this.#entries.set(id, { key, value })
    else
      this.#entries.set(
        id,
        new Map([
          [found.key[1], found],
          [source, { key, value }],
        ]),
      )
  }

  remove([id, source]: Key): void {
    const found = this.#entries.get(id)
    if (!(found instanceof Map)) {
      if (found?.key[1] === source) this.#entries.delete(id)
      return
    }
    found.delete(source)
    if (found.size === 0) this.#entries.delete(id)
  }

  /** The entries of one id: all that is asked of this table in ranges. */
  range({ start: [id], limit }: RangeOptions<Key>): Entry[] {
    const found = this.#entries.get(id)
    if (found === undefined) return []
    return found instanceof Map ? [...found.values()].slice(0, limit) : [found]
  }
}
