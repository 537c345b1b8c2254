import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream'
import type { CloudEvent, Erasure } from '@nexus/event-bus'
import type { ServerClock } from '../connection/server-clock.js'
import { isWanted } from '../group/pattern-sets.js'
import { consumerNameIn } from './consumer-name.js'
import type { ErasedEvent, EventMessage } from './events.js'
import type { IdIndex } from './id-index.js'
import type { Redelivery, RedeliveryMessage } from './redelivery.js'
import {
  type DeliveryState,
  isFinal,
  type KnownGroup,
  type LetterState,
  type State,
  withoutContent,
} from './state.js'

const MESSAGE_NOT_FOUND = 10037
const NANOS_PER_MS = 1e6

/** What it takes to erase an event. */
export interface EraserHost {
  state: State
  index: IdIndex
  redelivery: Redelivery
  manager: JetStreamManager
  clock: Pick<ServerClock, 'now'>
}

/**
 * Erases events. A stream cannot change a message: the server overwrites it and forgets it, and the envelope is
 * stored beside it. Every step may be done twice, so an erasure that was interrupted is finished by asking again.
 */
export class Eraser {
  readonly #host: EraserHost

  constructor(host: EraserHost) {
    this.#host = host
  }

  /** Leaves the envelope of an event, and of its deliveries what says nothing of its data. */
  async erase(event: EventMessage, reason: string | undefined): Promise<void> {
    const { state, index, manager, clock } = this.#host
    const { names } = state
    const { sequence, type, time, deliverAtMs } = event
    const { data: _, data_base64: __, ...envelope } = JSON.parse(event.json) as CloudEvent
    const at = new Date(clock.now()).toISOString()
    const erased: Erasure = reason === undefined ? { at } : { at, reason }
    const json = JSON.stringify(envelope)
    const left: ErasedEvent = { type, json, storedAtMs: time.getTime(), deliverAtMs, erased }
    await state.write(names.erased(sequence), left)
    await index.markErased(envelope, sequence)
    // First it is sure that groups still get the envelope: the server never hands out the message again.
    const groups = await state.groups()
    await Promise.all(groups.map((group) => this.#eraseDelivery(group, event)))
    try {
      await manager.streams.deleteMessage(names.events, sequence, true)
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== MESSAGE_NOT_FOUND) throw error
    }
    await Promise.all(groups.map(({ name }) => this.#eraseLetter(name, sequence)))
  }

  async #eraseDelivery(group: KnownGroup, event: EventMessage) {
    const { sequence, type, time, deliverAtMs } = event
    const { state, redelivery, clock } = this.#host
    for (;;) {
      const { value: before, revision } = await state.delivery(group.name, event)
      if (before === undefined && !isWanted(group.sets, type, sequence, clock.now())) return
      const dueAtMs =
        before === undefined ? deliverAtMs : await this.#nextAttempt(group.name, before)
      const message: RedeliveryMessage = {
        sequence,
        eventAtMs: time.getTime(),
        replay: before?.replays ?? 0,
        ...(dueAtMs > clock.now() && { dueAtMs }),
      }
      const isOpen = before === undefined || !isFinal(before)
      if (isOpen && before?.redelivery !== true) await redelivery.deliver(group.name, message)
      const record = withoutContent(before ?? redelivery.recordOf(message))
      const subject = state.names.delivery(group.name, sequence)
      // Another process wrote since: look again.
      if ((await state.replace(subject, record, revision)) !== undefined) return
    }
  }

  /** A handler that runs, or waits for its retry in its process, is left time to settle the event. */
  async #nextAttempt(group: string, before: DeliveryState): Promise<number> {
    if (before.status === 'pending') return before.nextAttemptAtMs ?? 0
    const { state, manager, clock } = this.#host
    const { events } = state.names
    const consumer = await consumerNameIn(manager, events, group)
    const { config } = await manager.consumers.info(events, consumer)
    const ackWaitMs = Number(config.ack_wait) / NANOS_PER_MS
    return Math.max(clock.now(), before.nextAttemptAtMs ?? 0) + ackWaitMs
  }

  async #eraseLetter(group: string, sequence: number): Promise<void> {
    const { state } = this.#host
    const subject = state.names.dead(group, sequence)
    for (;;) {
      const found = await state.revised<LetterState>(subject)
      if (found === undefined) return
      const letter = withoutContent(found.value)
      if ((await state.replace(subject, letter, found.revision)) !== undefined) return
    }
  }
}
