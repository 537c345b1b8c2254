import type { LogDelivery } from './log-claim.js'

/** More of one type are left to the log's table of due deliveries. */
const MAX_PER_TYPE = 2_048

/** LogDelivery that no consumer has, by type: given back, or found by a consumer that does not ask for its type. */
export class WaitingDeliveries {
  readonly #types = new Map<string, LogDelivery[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  hasRoom(type: string): boolean {
    return (this.#types.get(type)?.length ?? 0) < MAX_PER_TYPE
  }

  add(delivery: LogDelivery): void {
    const { type } = delivery.record
    const lane = this.#types.get(type)
    this.#size += 1
    if (lane === undefined) this.#types.set(type, [delivery])
    // What is given back was claimed in order, so its place is near the end.
    else {
      let at = lane.length
      while (at > 0 && lane[at - 1]!.record.sequence > delivery.record.sequence) at -= 1
      lane.splice(at, 0, delivery)
    }
  }

  /** The type of the oldest delivery that is wanted. */
  oldestType(wants: (type: string) => boolean): string | undefined {
    return this.#oldest(wants)?.at(0)?.record.type
  }

  /** The oldest delivery of a type that is wanted. */
  take(wants: (type: string) => boolean): LogDelivery | undefined {
    const oldest = this.#oldest(wants)
    if (oldest === undefined) return undefined
    const delivery = oldest.shift()!
    this.#size -= 1
    if (oldest.length === 0) this.#types.delete(delivery.record.type)
    return delivery
  }

  #oldest(wants: (type: string) => boolean): LogDelivery[] | undefined {
    if (this.#size === 0) return undefined
    let oldest: LogDelivery[] | undefined
    for (const [type, lane] of this.#types) {
      const older = oldest === undefined || lane[0]!.record.sequence < oldest[0]!.record.sequence
      if (older && wants(type)) oldest = lane
    }
    return oldest
  }
}
