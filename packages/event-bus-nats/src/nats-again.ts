import { JetStreamApiError } from '@nats-io/jetstream'
import {
  type NatsPublisher,
  type NatsPublishOptions,
  WRONG_LAST_SEQUENCE,
} from './nats-publisher.js'
import type { DeliveryState, NatsState } from './nats-state.js'

/** Stands for an event that is delivered when it is replayed, redriven or due. */
export interface AgainMessage {
  sequence: number
  replay: number
  /** Epoch milliseconds before which nobody gets the event. */
  dueAtMs?: number
}

/** Hands events to the stream of those to be delivered again, which keeps a small message for each. */
export class NatsAgain {
  /** Whether the server keeps what is not due to itself; else consumers are handed it, and give it back. */
  readonly schedules: boolean
  readonly #state: NatsState
  readonly #publisher: NatsPublisher

  constructor(state: NatsState, publisher: NatsPublisher, schedules: boolean) {
    this.#state = state
    this.#publisher = publisher
    this.schedules = schedules
  }

  /** Delivers an event to a group as its n-th replay; the same number again for a dead letter. */
  async deliver(group: string, sequence: number, replay: number): Promise<void> {
    // First the record: without it the message would be taken for an outdated one.
    await this.#write(group, sequence, { replays: replay, handedOut: 0 })
    await this.#publish(this.#state.names.againOf(group, sequence), { sequence, replay })
  }

  /** Delivers an event to a group when it is due; the caller may then forget it. */
  async postpone(group: string, sequence: number, dueAtMs: number): Promise<void> {
    const { names } = this.#state
    const target = names.againOf(group, sequence)
    const message: AgainMessage = { sequence, replay: 0, dueAtMs }
    // Once for an event: a process that died before it wrote the record may have done it.
    const once = { lastSubjectSequence: 0 }
    const published = this.schedules
      ? this.#publish(names.laterOf(group, sequence), message, {
          ...once,
          headers: {
            'Nats-Schedule': `@at ${new Date(dueAtMs).toISOString()}`,
            'Nats-Schedule-Target': target,
          },
        })
      : this.#publish(target, message, once)
    await published.catch((error: unknown) => {
      if (!(error instanceof JetStreamApiError) || error.code !== WRONG_LAST_SEQUENCE) throw error
    })
    const handedOut = this.schedules ? 0 : 1
    await this.#write(group, sequence, { replays: 0, handedOut, nextAttemptAtMs: dueAtMs })
  }

  async #write(
    group: string,
    sequence: number,
    known: Pick<DeliveryState, 'replays' | 'handedOut' | 'nextAttemptAtMs'>,
  ): Promise<void> {
    const waiting: DeliveryState = {
      status: 'pending',
      attempts: 0,
      updatedAtMs: Date.now(),
      again: true,
      ...known,
    }
    await this.#state.write(this.#state.names.delivery(group, sequence), waiting)
  }

  async #publish(
    subject: string,
    message: AgainMessage,
    options?: NatsPublishOptions,
  ): Promise<void> {
    await this.#publisher.publish(subject, JSON.stringify(message), options)
  }
}
