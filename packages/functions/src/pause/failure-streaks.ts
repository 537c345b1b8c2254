import { describeThrown } from '@nexus/diagnostics'
import type { EventBus, EventBusListeners } from '@nexus/event-bus'

/** What {@link FailureStreaks} work with. */
export interface FailureStreaksHost {
  bus: EventBus
  /** Events in a row after which a function is paused; undefined where it never is. */
  limitOf(name: string): number | undefined
  /** A function gave up on that many events in a row. */
  onLimit(name: string, reason: string): void
}

/** Counts events that functions gave up on in a row, in this process. */
export class FailureStreaks {
  readonly #host: FailureStreaksHost
  readonly #streaks = new Map<string, number>()

  constructor(host: FailureStreaksHost) {
    this.#host = host
    host.bus.on('delivered', this.#succeeded)
    host.bus.on('dead-lettered', this.#failed)
  }

  /** Begins again from 0. */
  forget(name: string): void {
    this.#streaks.delete(name)
  }

  close(): void {
    this.#host.bus.off('delivered', this.#succeeded)
    this.#host.bus.off('dead-lettered', this.#failed)
  }

  readonly #succeeded: EventBusListeners['delivered'] = ({ group }) => this.forget(group)

  readonly #failed: EventBusListeners['dead-lettered'] = ({ group, error }) => {
    const limit = this.#host.limitOf(group)
    const { code = 'INTERNAL_ERROR', message } = describeThrown(error)
    // The publisher of an event that does not fit is at fault, not the function.
    if (limit === undefined || code === 'SCHEMA_MISMATCH') return
    const streak = (this.#streaks.get(group) ?? 0) + 1
    this.#streaks.set(group, streak)
    if (streak < limit) return
    this.forget(group)
    this.#host.onLimit(group, `${limit} events in a row failed, the last with ${code}: ${message}`)
  }
}
