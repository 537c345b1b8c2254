import { isWrongLastSequence, type Publisher } from '../connection/publisher.js'
import type { State } from '../streams/state.js'

/** Sequences by which the bound runs ahead, so that one write serves many events. */
const AHEAD = 1_000

/**
 * A bound of what a group has settled, stored beside its records: nothing above it is settled. A server that is
 * killed may forget where its consumer was, and hand out again what lies below.
 */
export class SettledBound {
  readonly #state: State
  readonly #publisher: Publisher
  readonly #subject: string
  /** The bound, and the sequence of the message that has it. */
  #until = 0
  #revision = 0
  #raising: Promise<void> | undefined

  constructor(state: State, publisher: Publisher, group: string) {
    this.#state = state
    this.#publisher = publisher
    this.#subject = state.names.settledBound(group)
  }

  async load(): Promise<number> {
    const found = await this.#state.newest(this.#subject)
    this.#until = found?.json<number>() ?? 0
    this.#revision = found?.seq ?? 0
    return this.#until
  }

  /** Makes sure that the bound is not below a sequence; nothing is acked before. */
  raise(sequence: number): Promise<void> | undefined {
    if (sequence <= this.#until) return undefined
    if (this.#raising !== undefined) {
      const retry = () => this.raise(sequence)
      return this.#raising.then(retry, retry)
    }
    this.#raising = this.#raise(sequence).finally(() => {
      this.#raising = undefined
    })
    return this.#raising
  }

  async #raise(sequence: number): Promise<void> {
    const until = sequence + AHEAD
    try {
      const stored = await this.#publisher.publish(this.#subject, JSON.stringify(until), {
        lastSubjectSequence: this.#revision,
      })
      this.#revision = stored.sequence
      this.#until = until
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error
      // Another process raised it, or the answer to our own was lost.
      if ((await this.load()) < sequence) await this.#raise(sequence)
    }
  }
}
