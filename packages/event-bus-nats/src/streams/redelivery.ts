import { isWrongLastSequence, type Publisher } from '../connection/publisher.js'
import type { ServerClock } from '../connection/server-clock.js'
import type { DeliveryState, EventRef, Recorded, State } from './state.js'

/** Header of an event with the epoch milliseconds before which no group gets it. */
export const DELIVER_AT = 'Nexus-Deliver-At'

/** Stands for an event that is delivered when it is replayed, redriven or due. */
export interface RedeliveryMessage {
  sequence: number
  /** When the event was stored: epoch milliseconds, see `EventRef`. */
  eventAtMs: number
  /** 0 for the original delivery, n for the n-th replay. */
  replay: number
  /** Epoch milliseconds of the server's clock before which the group does not get the event. */
  dueAtMs?: number
}

/** Writes the redelivery stream, which keeps a small message for each event that a group gets later or once more. */
export class Redelivery {
  /** Whether the server keeps what is not due to itself; else consumers are handed it, and give it back. */
  readonly schedules: boolean
  readonly #state: State
  readonly #publisher: Publisher
  readonly #clock: Pick<ServerClock, 'now'>

  constructor(
    state: State,
    publisher: Publisher,
    clock: Pick<ServerClock, 'now'>,
    schedules: boolean,
  ) {
    this.#state = state
    this.#publisher = publisher
    this.#clock = clock
    this.schedules = schedules
  }

  /** The record of an event that waits for this message. */
  recordOf({ eventAtMs, replay, dueAtMs }: RedeliveryMessage): DeliveryState {
    return {
      status: 'pending',
      eventAtMs,
      attempts: 0,
      replays: replay,
      updatedAtMs: this.#clock.now(),
      redelivery: true,
      ...(dueAtMs !== undefined && { nextAttemptAtMs: dueAtMs }),
    }
  }

  /**
   * Delivers an event to a group once more, whatever became of it before. Where one such delivery waits, there is
   * no second one: answers false then; a replay makes a waiting redrive a replay.
   */
  async request(group: string, event: EventRef, asked: 'replay' | 'redrive'): Promise<boolean> {
    const { names } = this.#state
    const { sequence } = event
    for (;;) {
      const { value: before, revision } = await this.#state.delivery(group, event)
      const waits = before?.status === 'pending' && before.asked !== undefined
      const isAskedFor = waits && (asked === 'redrive' || before.asked === 'replay')
      const replays = before?.replays ?? 0
      const replay = isAskedFor || asked === 'redrive' ? replays : replays + 1
      const message = { sequence, eventAtMs: event.time.getTime(), replay }
      // First the record: without it the message would be taken for an outdated one.
      if (!isAskedFor) {
        const record = { ...this.recordOf(message), asked }
        const subject = names.delivery(group, sequence)
        const stored = await this.#state.replace(subject, record, revision)
        // Another process wrote since: look again.
        if (stored === undefined) continue
      }
      const target = names.redeliveryOf(group, sequence)
      if (isAskedFor) await this.#writeFirst(target, message)
      else await this.#publisher.publish(target, JSON.stringify(message))
      return !waits
    }
  }

  /** Makes sure that an event will be delivered to a group; the caller may then forget it. */
  async ensure(group: string, message: RedeliveryMessage): Promise<void> {
    // First the message: no process looks at a record that has no message.
    await this.deliver(group, message)
    const subject = this.#state.names.delivery(group, message.sequence)
    await this.#writeFirst(subject, this.recordOf(message))
  }

  /** Writes the message alone, unless there is one; the caller writes the record. */
  async deliver(group: string, message: RedeliveryMessage): Promise<void> {
    const { names } = this.#state
    const { sequence, dueAtMs = 0 } = message
    const target = names.redeliveryOf(group, sequence)
    if (this.schedules && dueAtMs > this.#clock.now()) {
      await this.#writeFirst(names.delayedOf(group, sequence), message, {
        'Nats-Schedule': `@at ${new Date(dueAtMs).toISOString()}`,
        'Nats-Schedule-Target': target,
      })
    } else {
      await this.#writeFirst(target, message)
    }
  }

  /** Leaves an event to a process of the group that has other patterns; the caller may then forget it. */
  async park(
    group: string,
    message: RedeliveryMessage,
    { value, revision }: Recorded,
  ): Promise<void> {
    const { names } = this.#state
    const { sequence } = message
    await this.#writeFirst(names.parkedOf(group, sequence), message)
    const record = { ...(value ?? this.recordOf(message)), redelivery: true as const }
    // Where another process wrote since, it has the event already.
    await this.#state.replace(names.delivery(group, sequence), record, revision)
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
