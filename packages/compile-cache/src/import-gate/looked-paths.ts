import { LRUCache } from 'lru-cache'
import type { EntryFile } from './entry-file.js'
import type { RecordedFacts } from './files/file-facts.js'

/** Entries whose paths are remembered; those compiled longest ago go first. */
const MAX_ENTRIES = 1000

/** Remembers which paths the last build of each entry looked at. */
export class LookedPaths {
  readonly #facts = new LRUCache<string, RecordedFacts>({ max: MAX_ENTRIES })

  /** Remember what a build saw. */
  set(entry: EntryFile, facts: RecordedFacts): void {
    this.#facts.set(keyOf(entry), facts)
  }

  /** The absolute paths, found or not; none for an entry that was not built. */
  of(entry: EntryFile | undefined): string[] {
    const facts = entry && this.#facts.get(keyOf(entry))
    if (!facts) return []
    return [...new Set([...facts.places, ...facts.contents].map(([path]) => path))]
  }
}

function keyOf({ path, root }: EntryFile): string {
  return `${path}\0${root}`
}
