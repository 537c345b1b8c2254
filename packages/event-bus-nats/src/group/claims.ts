import type { JsMsg } from '@nats-io/jetstream'
import { type Claim, type CloudEvent, type GroupRequest, matchesPattern } from '@nexus/event-bus'
import { DELIVER_AT, type Redelivery, type RedeliveryMessage } from '../streams/redelivery.js'
import { type DeliveryState, isFinal, type State } from '../streams/state.js'
import type { SettledBound } from './settled-bound.js'

/** A message that could not be dealt with comes again after this. */
const ERROR_PAUSE_MS = 500

/** A claim with the message that stands for it. */
export interface NatsClaim extends Claim {
  message: JsMsg
  /** Where the server hears that the claim is still worked on. */
  reply: string
  /** It was delivered redelivery, or later, not by the stream of events. */
  redelivery: boolean
}

/** What it takes to tell whether a message is a claim. */
export interface ClaimsHost {
  state: State
  redelivery: Redelivery
  settledBound: SettledBound
  onError(error: unknown): void
}

/**
 * Makes claims of a group out of messages, and deals with those that are none: not meant for the group,
 * settled or held before, or not due.
 */
export class Claims {
  readonly #request: GroupRequest
  readonly #host: ClaimsHost
  /** By message, which the server may hand out anew. */
  readonly #held = new Map<number, NatsClaim>()
  /** Up to here an event may be settled without the server knowing; asked for when the next one comes. */
  #recheckUntil: number | undefined
  /** The server numbers what it hands out: a number that does not rise means that it forgot where it was. */
  #lastHandedOut = 0
  /** In no order, and no more at once than a pull brings. */
  #handingOn: Promise<unknown> = Promise.resolve()

  constructor(request: GroupRequest, host: ClaimsHost) {
    this.#request = request
    this.#host = host
  }

  /** The server may have been away, and not know any more what was settled. */
  distrust(): void {
    this.#recheckUntil = undefined
  }

  /** Call it for one message after the other. */
  async toClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const held = this.#held.get(this.#keyOf(message))
    if (held !== undefined) {
      // It is being handled: the ack goes to the message that counts now.
      held.message = message
      return undefined
    }
    return this.#isRedelivery(message)
      ? this.#toRedeliveryClaim(message)
      : this.#toEventClaim(message)
  }

  hold(claim: NatsClaim): void {
    this.#held.set(this.#keyOf(claim.message), claim)
  }

  release({ message }: NatsClaim): void {
    this.#held.delete(this.#keyOf(message))
  }

  /** Resolves when the other stream has what is left to it. */
  async handedOn(): Promise<void> {
    await this.#handingOn
  }

  #isRedelivery({ info }: JsMsg): boolean {
    return info.stream === this.#host.state.names.redelivery
  }

  /** Its sequence; negative in the stream of what is delivered redelivery, which has sequences of its own. */
  #keyOf(message: JsMsg): number {
    return this.#isRedelivery(message) ? -message.seq : message.seq
  }

  async #toEventClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const { state } = this.#host
    const type = state.names.typeOf(message.subject)
    if (!this.#request.patterns.some((pattern) => matchesPattern(pattern, type))) {
      message.ack()
      return undefined
    }
    const before = (await this.#mayBeKnown(message))
      ? await state.delivery(this.#request.name, message.seq)
      : undefined
    if (before !== undefined && isFinal(before)) {
      // Only the ack was lost.
      message.ack()
      return undefined
    }
    const deliverAtMs = Number(message.headers?.get(DELIVER_AT) || 0)
    if (before?.redelivery === true || (before === undefined && deliverAtMs > Date.now())) {
      const handed = this.#handOn(message, before, deliverAtMs)
      this.#handingOn = Promise.all([this.#handingOn, handed])
      return undefined
    }
    if (await this.#waits(message, message.seq, before, deliverAtMs)) return undefined
    return this.#claim(message, message.seq, message, 0, before)
  }

  /** Whether there may be a record of the event. */
  async #mayBeKnown({ seq, info }: JsMsg): Promise<boolean> {
    if (info.deliverySequence <= this.#lastHandedOut) this.distrust()
    this.#lastHandedOut = info.deliverySequence
    this.#recheckUntil ??= await this.#host.settledBound.load()
    return info.deliveryCount > 1 || seq <= this.#recheckUntil
  }

  async #toRedeliveryClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const { state, redelivery } = this.#host
    const asked = message.json<RedeliveryMessage>()
    const { sequence, replay, dueAtMs = 0 } = asked
    const waiting = redelivery.recordOf(asked)
    const earlyMs = dueAtMs - Date.now()
    if (earlyMs > 0 && message.info.deliveryCount <= waiting.handedOut) {
      message.nak(earlyMs)
      return undefined
    }
    const isOutdated = (record: DeliveryState) =>
      record.replays > replay || (record.replays === replay && isFinal(record))
    let before = (await state.delivery(this.#request.name, sequence)) ?? waiting
    if (isOutdated(before)) {
      // Perhaps only the copy that was read is.
      const newest = await state.newest(state.names.delivery(this.#request.name, sequence))
      before = newest?.json() ?? waiting
    }
    // An earlier delivery was under way when this one was asked for, and settled after that.
    if (before.replays < replay) before = waiting
    const event = isOutdated(before) ? undefined : await state.event(sequence)
    if (event === undefined) {
      message.ack()
      return undefined
    }
    if (await this.#waits(message, sequence, before, dueAtMs)) return undefined
    return this.#claim(message, sequence, event, replay, before)
  }

  #claim(
    message: JsMsg,
    sequence: number,
    stored: { data: Uint8Array; time: Date },
    replay: number,
    before: DeliveryState | undefined,
  ): NatsClaim {
    const handedOut = message.info.deliveryCount
    const crashed = handedOut - (before === undefined ? 1 : before.handedOut + 1)
    return {
      event: JSON.parse(new TextDecoder().decode(stored.data)) as CloudEvent,
      sequence,
      publishedAt: stored.time.toISOString(),
      attempt: (before?.attempts ?? 0) + 1 + Math.max(0, crashed),
      replay,
      message,
      reply: (message as JsMsg & { reply: string }).reply,
      redelivery: this.#isRedelivery(message),
    }
  }

  /**
   * Leaves an event to the stream of those to be delivered again. What is not due would hold back, here, where
   * the group's settled events end; and whoever asked for another delivery may have died before there was a
   * message for it.
   */
  async #handOn(
    message: JsMsg,
    before: DeliveryState | undefined,
    deliverAtMs: number,
  ): Promise<void> {
    const { redelivery, settledBound, onError } = this.#host
    const { seq: sequence } = message
    const asked: RedeliveryMessage =
      before === undefined
        ? { sequence, replay: 0, dueAtMs: deliverAtMs }
        : { sequence, replay: before.replays, ...dueOf(before) }
    try {
      // What was attempted had its message, and has it until it is settled.
      if (before === undefined || before.status === 'pending') {
        await Promise.all([
          settledBound.raise(sequence),
          redelivery.ensure(this.#request.name, asked),
        ])
      }
      message.ack()
    } catch (error) {
      onError(error)
      message.nak(ERROR_PAUSE_MS)
    }
  }

  /** Gives back what comes before its time: a server that forgot what it handed out also forgot until when. */
  async #waits(
    message: JsMsg,
    sequence: number,
    before: DeliveryState | undefined,
    dueAtMs: number,
  ): Promise<boolean> {
    // The retries of an ordered group wait in the process that has the group.
    const retryAtMs = this.#request.ordered ? 0 : (before?.nextAttemptAtMs ?? 0)
    const waitMs = Math.max(dueAtMs, retryAtMs) - Date.now()
    if (waitMs <= 0) return false
    const handedOut = message.info.deliveryCount
    if (before !== undefined && before.handedOut < handedOut) {
      const { state } = this.#host
      await state.write(state.names.delivery(this.#request.name, sequence), {
        ...before,
        handedOut,
      })
    }
    message.nak(waitMs)
    return true
  }
}

function dueOf({ nextAttemptAtMs }: DeliveryState): { dueAtMs?: number } {
  return nextAttemptAtMs === undefined ? {} : { dueAtMs: nextAttemptAtMs }
}
