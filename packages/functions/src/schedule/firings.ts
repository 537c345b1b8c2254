import type { Cron } from 'croner'
import { parseCron, type ResolvedSchedule } from './schedule.js'

/**
 * The times at which a schedule fires, in epoch milliseconds. Where clocks are set forward, a time that does not exist fires at
 * the first moment after it; where they are set back, a fixed time fires once, and `*` and steps go on with each hour.
 */
export class Firings {
  readonly #cron: Cron

  constructor({ cron, timeZone }: ResolvedSchedule) {
    this.#cron = parseCron(cron, timeZone)
  }

  /** The first one after this time; undefined when there is none. */
  after(timeMs: number): number | undefined {
    return this.#cron.nextRun(new Date(timeMs))?.getTime()
  }

  /** The last `most` that are after `afterMs` and not after `untilMs`, in order. */
  between(afterMs: number, untilMs: number, most: number): number[] {
    const times: number[] = []
    for (let at = this.after(afterMs); at !== undefined && at <= untilMs; at = this.after(at)) {
      if (times.length === most) return this.#lastUntil(untilMs, most)
      times.push(at)
    }
    return times
  }

  /** Counted from the end: a long pause may have millions. Firings are at whole seconds. */
  #lastUntil(untilMs: number, most: number): number[] {
    const reference = new Date(Math.floor(untilMs / 1000) * 1000 + 1000)
    return this.#cron
      .previousRuns(most, reference)
      .map((time) => time.getTime())
      .sort((a, b) => a - b)
  }
}
