import type { Work } from './log-claim.js'

/** Work from the log in order, so that the group's floor can follow what is settled. */
export class SettledWindow {
  #work: Work[] = []
  #at = 0

  add(work: Work): void {
    this.#work.push(work)
  }

  get isEmpty(): boolean {
    return this.#at === this.#work.length
  }

  /** The sequence up to which everything is settled, when that goes further than before. */
  advance(): number | undefined {
    let floor: number | undefined
    while (this.#at < this.#work.length && this.#work[this.#at]!.settled) {
      floor = this.#work[this.#at]!.record.sequence
      this.#at += 1
    }
    if (this.#at > 1024 && this.#at * 2 > this.#work.length) {
      this.#work.splice(0, this.#at)
      this.#at = 0
    }
    return floor
  }
}
