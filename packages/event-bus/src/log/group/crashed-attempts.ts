import { hasEnded } from '../../store/stored-event.js'
import type { LogEngine, RunningEntry } from '../log-engine.js'

/** Attempts that ended with the process before, until their events are claimed again. */
export class CrashedAttempts {
  readonly #attempts = new Map<string, RunningEntry>()

  constructor(engine: LogEngine) {
    for (const entry of engine.loadRunning()) {
      const [group, sequence] = entry
      const delivery = engine.get('deliveries', [sequence, group])
      if (delivery === undefined || !hasEnded(delivery))
        this.#attempts.set(`${group} ${sequence}`, entry)
    }
  }

  /** Those whose events were not claimed yet: their count has to survive this process too. */
  get left(): Iterable<RunningEntry> {
    return this.#attempts.values()
  }

  /** The attempt of an event that ended with the process before, 0 when there was none; the event was claimed. */
  take(group: string, sequence: number): number {
    if (this.#attempts.size === 0) return 0
    const name = `${group} ${sequence}`
    const attempt = this.#attempts.get(name)?.[2] ?? 0
    this.#attempts.delete(name)
    return attempt
  }
}
