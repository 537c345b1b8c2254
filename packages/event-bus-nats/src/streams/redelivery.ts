import { isWrongLastSequence, type Publisher } from '../connection/publisher.js'
import type { DeliveryState, State } from './state.js'

/** Header of an event with the epoch milliseconds before which nobody gets it. */
export const DELIVER_AT = 'Nexus-Deliver-At'

/** Stands for an event that is delivered when it is replayed, redriven or due. */
export interface RedeliveryMessage {
  sequence: number
  /** 0 for the original delivery, n for the n-th replay. */
  replay: number
  /** Epoch milliseconds before which nobody gets the event. */
  dueAtMs?: number
}

/** Hands events to the stream of those to be delivered redelivery, which keeps a small message for each. */
export class Redelivery {
  /** Whether the server keeps what is not due to itself; else consumers are handed it, and give it back. */
  readonly schedules: boolean
  readonly #state: State
  readonly #publisher: Publisher

  constructor(state: State, publisher: Publisher, schedules: boolean) {
    this.#state = state
    this.#publisher = publisher
    this.schedules = schedules
  }

  /** The record of an event that waits for this message. */
  recordOf({ replay, dueAtMs }: RedeliveryMessage): DeliveryState {
    return {
      status: 'pending',
      attempts: 0,
      replays: replay,
      updatedAtMs: Date.now(),
      redelivery: true,
      // A server without schedules hands it out once before its time.
      handedOut: dueAtMs === undefined || this.schedules ? 0 : 1,
      ...(dueAtMs !== undefined && { nextAttemptAtMs: dueAtMs }),
    }
  }

  /** Delivers an event to a group, whatever became of it before. */
  async deliver(group: string, message: RedeliveryMessage): Promise<void> {
    const { names } = this.#state
    const { sequence } = message
    // First the record: without it the message would be taken for an outdated one.
    await this.#state.write(names.delivery(group, sequence), this.recordOf(message))
    await this.#publisher.publish(names.redeliveryOf(group, sequence), JSON.stringify(message))
  }

  /** Makes sure that an event will be delivered to a group; the caller may then forget it. */
  async ensure(group: string, message: RedeliveryMessage): Promise<void> {
    const { names } = this.#state
    const { sequence, dueAtMs = 0 } = message
    const target = names.redeliveryOf(group, sequence)
    // First the message: with a record alone nobody would deliver the event.
    if (this.schedules && dueAtMs > Date.now()) {
      await this.#writeFirst(names.delayedOf(group, sequence), message, {
        'Nats-Schedule': `@at ${new Date(dueAtMs).toISOString()}`,
        'Nats-Schedule-Target': target,
      })
    } else {
      await this.#writeFirst(target, message)
    }
    await this.#writeFirst(names.delivery(group, sequence), this.recordOf(message))
  }

  /** Does nothing where there is something: another process was faster, and may have got further by now. */
  async #writeFirst(
    subject: string,
    value: unknown,
    headers?: Record<string, string>,
  ): Promise<void> {
    const first = { lastSubjectSequence: 0, ...(headers !== undefined && { headers }) }
    try {
      await this.#publisher.publish(subject, JSON.stringify(value), first)
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error
    }
  }
}
