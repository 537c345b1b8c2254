import type { Work } from './log-claim.js'

/** More of one type are left to the log's table of due work. */
const MAX_PER_TYPE = 2_048

/** Work that no consumer has, by type: given back, or found by a consumer that does not ask for its type. */
export class WaitingWork {
  readonly #types = new Map<string, Work[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  hasRoom(type: string): boolean {
    return (this.#types.get(type)?.length ?? 0) < MAX_PER_TYPE
  }

  add(work: Work): void {
    const { type } = work.record
    const lane = this.#types.get(type)
    this.#size += 1
    if (lane === undefined) this.#types.set(type, [work])
    // What is given back was claimed in order, so its place is near the end.
    else {
      let at = lane.length
      while (at > 0 && lane[at - 1]!.record.sequence > work.record.sequence) at -= 1
      lane.splice(at, 0, work)
    }
  }

  /** The oldest work of a type that is wanted. */
  take(wants: (type: string) => boolean): Work | undefined {
    if (this.#size === 0) return undefined
    let oldest: Work[] | undefined
    for (const [type, lane] of this.#types) {
      const older = oldest === undefined || lane[0]!.record.sequence < oldest[0]!.record.sequence
      if (older && wants(type)) oldest = lane
    }
    if (oldest === undefined) return undefined
    const work = oldest.shift()!
    this.#size -= 1
    if (oldest.length === 0) this.#types.delete(work.record.type)
    return work
  }
}
