import { matchesPattern } from '../../event/pattern.js'
import type { Claim, GroupConsumer, PublishResult, Settlement } from '../../store/event-store.js'
import type { LogClaim } from './log-claim.js'

/** Types remembered with whether the consumer asks for them: types come from publishers. */
const MAX_REMEMBERED = 10_000

/** What a consumer needs of its group. */
export interface ConsumerHost {
  fetch(consumer: LogConsumer, limit: number, signal: AbortSignal): Promise<Claim[]>
  begin(claims: readonly LogClaim[]): void
  settle(claim: LogClaim, settlement: Settlement): Promise<PublishResult[]>
  settledBy(consumer: LogConsumer): void
  leave(consumer: LogConsumer): void
}

/** The consumer a subscription has. */
export class LogConsumer implements GroupConsumer {
  readonly patterns: readonly string[]
  readonly claimed = new Set<Claim>()
  readonly #group: ConsumerHost
  readonly #wanted = new Map<string, boolean>()
  #closed = false

  constructor(group: ConsumerHost, patterns: readonly string[]) {
    this.#group = group
    this.patterns = patterns
  }

  /** Whether this consumer asks for events of the type. */
  wants(type: string): boolean {
    let known = this.#wanted.get(type)
    if (known === undefined) {
      if (this.#wanted.size >= MAX_REMEMBERED) this.#wanted.clear()
      known = this.patterns.some((pattern) => matchesPattern(pattern, type))
      this.#wanted.set(type, known)
    }
    return known
  }

  async fetch(limit: number, signal: AbortSignal): Promise<Claim[]> {
    return this.#group.fetch(this, limit, signal)
  }

  begin(claims: readonly Claim[]): readonly Claim[] {
    const begun = claims.filter((claim) => this.claimed.has(claim))
    this.#group.begin(begun as LogClaim[])
    return begun
  }

  async settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]> {
    const emitted = await this.#group.settle(claim as LogClaim, settlement)
    const inPlace = settlement.kind === 'retry' && settlement.inPlace
    if (!inPlace) {
      this.claimed.delete(claim)
      this.#group.settledBy(this)
    }
    return emitted
  }

  // The directory's lock is the claim: it goes with the process, so nothing has to be extended.
  extend(): void {}

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const claim of this.claimed) await this.settle(claim, { kind: 'release' })
    this.#group.leave(this)
  }
}
