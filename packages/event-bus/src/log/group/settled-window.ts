import type { LogDelivery } from './log-claim.js'

/** LogDelivery from the log in order, so that the group's floor can follow what is settled. */
export class SettledWindow {
  #deliveries: LogDelivery[] = []
  #at = 0

  add(delivery: LogDelivery): void {
    this.#deliveries.push(delivery)
  }

  get isEmpty(): boolean {
    return this.#at === this.#deliveries.length
  }

  /** The sequence up to which everything is settled, when that goes further than before. */
  advance(): number | undefined {
    let floor: number | undefined
    while (this.#at < this.#deliveries.length && this.#deliveries[this.#at]!.settled) {
      floor = this.#deliveries[this.#at]!.record.sequence
      this.#at += 1
    }
    if (this.#at > 1024 && this.#at * 2 > this.#deliveries.length) {
      this.#deliveries.splice(0, this.#at)
      this.#at = 0
    }
    return floor
  }
}
