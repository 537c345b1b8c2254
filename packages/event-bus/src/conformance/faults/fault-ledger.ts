/**
 * What is done to a store: a worker is killed, its wall clock steps, a group is subscribed with other patterns than by the
 * process before, a server is killed, a worker stands still.
 */
export type FaultKind = 'kill' | 'clock' | 'patterns' | 'server' | 'freeze'

/** How many faults of each kind were injected. */
export type FaultReport = Partial<Record<FaultKind, number>>

/** Counts injected faults. */
export class FaultLedger {
  readonly #counts = new Map<FaultKind, number>()

  get total(): number {
    let total = 0
    for (const count of this.#counts.values()) total += count
    return total
  }

  add(kind: FaultKind): void {
    this.#counts.set(kind, this.count(kind) + 1)
  }

  count(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0
  }

  report(): FaultReport {
    return Object.fromEntries(this.#counts)
  }
}
