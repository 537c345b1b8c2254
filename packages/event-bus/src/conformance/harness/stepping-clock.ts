import { type Clock, systemClock } from '../../clock.js'

/** The machine's clock, whose wall clock a case can set; time passes as it does. */
export class SteppingClock implements Clock {
  readonly monotonic = systemClock.monotonic
  readonly schedule = systemClock.schedule
  #aheadMs = 0

  now(): number {
    return systemClock.now() + this.#aheadMs
  }

  /** Sets the wall clock this far ahead of the machine's, or behind it with a negative number. */
  setAhead(ms: number): void {
    this.#aheadMs = ms
  }
}
