import type { JsMsg } from '@nats-io/jetstream'
import type { CloudEvent, GroupRequest } from '@nexus/event-bus'
import type { NatsStates } from '../../state/nats-states.js'
import type { EventMessage, Events } from '../../streams/events.js'
import { DELIVER_AT, type RedeliveryMessage } from '../../streams/redelivery.js'
import { type DeliveryState, isAbout, isFinal, type Recorded } from '../../streams/state.js'
import { matchesAny } from '../pattern-sets.js'
import { HandOver, type HandOverHost } from './hand-over.js'
import { type Look, Looks } from './looks.js'
import type { NatsClaim } from './nats-claim.js'

/** Longer delays overflow the server's arithmetic: what is due later is looked at once a day. */
export const MAX_DELAY_MS = 24 * 3_600_000

/** What it takes to tell whether a message is a claim. */
export interface ClaimsHost extends HandOverHost {
  events: Events
  states: NatsStates
  /** The term of the ordered group's one consumer; 0 without order. */
  term(): number
}

/** A message whose turn comes. */
export interface Arrival {
  /** Its turn: the claim that it stands for, or undefined where it is none. */
  toClaim(): Promise<NatsClaim | undefined>
  /** It had its turn, or gets none. */
  end(): void
}

/** What the server knows about a message. */
interface Known {
  before: Recorded
  /** The event that a message of the redelivery stream stands for. */
  event?: EventMessage | undefined
  /** It came before its time, by this. */
  earlyMs?: number
}

const NOTHING: Known = { before: { revision: 0 } }

/**
 * Makes claims of a group out of messages, and deals with those that are none: not meant for this process,
 * settled or claimed before, or not due.
 */
export class Claims {
  readonly #request: GroupRequest
  readonly #host: ClaimsHost
  readonly #owner: string
  #count = 0
  /** By message, which the server may hand out again. */
  readonly #claimed = new Map<number, NatsClaim>()
  /** Up to here an event may be settled without the server knowing; asked for when the next one comes. */
  #recheckUntil: Promise<number> | undefined
  /** The server numbers what it hands out: a number that does not rise means that it forgot where it was. */
  #lastHandedOut = 0
  #highestSequence = 0
  readonly #handOver: HandOver
  readonly #looks = new Looks<JsMsg, Known>(
    (message) => this.#keyOf(message),
    (key) => this.#claimed.has(key),
    (message) => (this.#isRedelivery(message) ? this.#redelivered(message) : this.#known(message)),
  )
  /** Attempts of events, by sequence, that a full server could not store. */
  readonly #unstored = new Map<number, number>()

  /** @param owner differs for every consumer of the group */
  constructor(request: GroupRequest, owner: string, host: ClaimsHost) {
    this.#request = request
    this.#owner = owner
    this.#host = host
    this.#handOver = new HandOver(request, host)
  }

  /** Claims that are not settled. */
  get open(): NatsClaim[] {
    return [...this.#claimed.values()]
  }

  /** How many claims are not settled. */
  get size(): number {
    return this.#claimed.size
  }

  /** Sequence up to which the stream of events has nothing that this process still has to settle. */
  get settledUntil(): number {
    const open = [...this.#claimed.values()].filter(({ redelivery }) => !redelivery)
    return Math.min(this.#highestSequence, ...open.map(({ sequence }) => sequence - 1))
  }

  /** Where the group is before the first message comes. */
  startAfter(sequence: number): void {
    this.#highestSequence = sequence
  }

  /** Tells the server that a claim is still worked on. */
  extend(claim: NatsClaim): void {
    claim.wasSilent = this.wasSilent(claim)
    claim.extendedAtMs = performance.now()
    claim.message.working()
  }

  /** Whether the server may have given a claim to another process: this one may have been frozen. */
  wasSilent({ extendedAtMs, wasSilent }: NatsClaim): boolean {
    return wasSilent || performance.now() - extendedAtMs > this.#request.ackWaitMs
  }

  /** The server may have been away, and not know any more what was settled. */
  distrust(): void {
    this.#recheckUntil = undefined
  }

  /** The stream of events was made again: its sequences begin again, and what is claimed is gone with the old one. */
  reset(): NatsClaim[] {
    this.distrust()
    const gone = this.open
    for (const claim of gone) claim.isGivenBack = true
    this.#highestSequence = 0
    this.#claimed.clear()
    this.#unstored.clear()
    return gone
  }

  /** Begins to look what is known of a message; call it as messages come. */
  look(message: JsMsg): Arrival {
    if (!this.#isRedelivery(message)) {
      const { deliverySequence } = message.info
      if (deliverySequence <= this.#lastHandedOut) this.distrust()
      this.#lastHandedOut = deliverySequence
    }
    const look = this.#looks.begin(message)
    return { toClaim: () => this.#toClaim(message, look), end: look.end }
  }

  async #toClaim(message: JsMsg, look: Look<Known>): Promise<NatsClaim | undefined> {
    const claimed = this.#claimed.get(this.#keyOf(message))
    if (claimed !== undefined) {
      if (claimed.term === this.#host.term() || claimed.isBegun) {
        // It is being handled: the ack goes to the message that counts now.
        claimed.message = message
        return undefined
      }
      claimed.isGivenBack = true
    }
    const known = await look.read()
    return this.#isRedelivery(message)
      ? this.#toRedeliveryClaim(message, known)
      : this.#toEventClaim(message, known)
  }

  add(claim: NatsClaim): void {
    this.#claimed.set(this.#keyOf(claim.message), claim)
  }

  /** The server is full: the attempt is counted here. */
  noteUnstored({ sequence, attempt }: NatsClaim): void {
    this.#unstored.set(sequence, attempt)
  }

  /** The record says now how often it was attempted. */
  noteStored({ sequence }: NatsClaim): void {
    this.#unstored.delete(sequence)
  }

  remove(claim: NatsClaim): void {
    const key = this.#keyOf(claim.message)
    if (this.#claimed.get(key) === claim) this.#claimed.delete(key)
  }

  /** Resolves when others have what is left to them. */
  passedOn(): Promise<void> {
    return this.#handOver.done()
  }

  #isRedelivery({ info }: JsMsg): boolean {
    return info.stream === this.#host.state.names.redelivery
  }

  /** Its sequence; negative in the redelivery stream, which has sequences of its own. */
  #keyOf(message: JsMsg): number {
    return this.#isRedelivery(message) ? -message.seq : message.seq
  }

  /** The record of an event, where there may be one. */
  async #known({ seq: sequence, time, info, subject }: JsMsg): Promise<Known> {
    const { state, settledBound } = this.#host
    if (!matchesAny(this.#request.patterns, state.names.typeOf(subject))) return NOTHING
    this.#recheckUntil ??= settledBound.load().catch((error: unknown) => {
      this.#recheckUntil = undefined
      throw error
    })
    const until = await this.#recheckUntil
    if (info.deliveryCount === 1 && sequence > until) return NOTHING
    return { before: await state.delivery(this.#request.name, { sequence, time }) }
  }

  /** The event of a message of the redelivery stream, and its record. */
  async #redelivered(message: JsMsg): Promise<Known> {
    const { state, events, clock } = this.#host
    const asked = message.json<RedeliveryMessage>()
    const earlyMs = (asked.dueAtMs ?? 0) - clock.now()
    if (earlyMs > 0) return { ...NOTHING, earlyMs }
    const event = await events.at(asked.sequence)
    if (event === undefined || !isAbout(asked, event)) return NOTHING
    return { event, before: await state.delivery(this.#request.name, event) }
  }

  #toEventClaim(message: JsMsg, { before }: Known): NatsClaim | undefined | Promise<undefined> {
    const { state, clock } = this.#host
    const { seq: sequence, time } = message
    const type = state.names.typeOf(message.subject)
    this.#highestSequence = Math.max(this.#highestSequence, sequence)
    if (!matchesAny(this.#request.patterns, type)) {
      return this.#handOver.toOthers(message, { sequence, time }, type)
    }
    const { value } = before
    if (value !== undefined && isFinal(value)) {
      this.#settledBefore(message, value)
      return undefined
    }
    const deliverAtMs = Number(message.headers?.get(DELIVER_AT) || 0)
    if (value?.redelivery === true || (value === undefined && deliverAtMs > clock.now())) {
      this.#handOver.postpone(message, value, deliverAtMs)
      return undefined
    }
    if (this.#waits(message, value, deliverAtMs)) return undefined
    return this.#claim(message, sequence, fresh(message), 0, before)
  }

  /** Only the ack was lost, and perhaps the last step of what its settlement changed. */
  #settledBefore(message: JsMsg, { changed }: DeliveryState): void {
    const { states, onError } = this.#host
    const finished = changed && states.finish(this.#request.name, changed)
    if (finished === undefined) message.ack()
    else
      finished.then(
        () => message.ack(),
        (error: unknown) => onError(error),
      )
  }

  #toRedeliveryClaim(
    message: JsMsg,
    { event, before: found, earlyMs }: Known,
  ): NatsClaim | undefined | Promise<undefined> {
    const { redelivery } = this.#host
    const asked = message.json<RedeliveryMessage>()
    const { sequence, replay, dueAtMs = 0 } = asked
    if (earlyMs !== undefined) {
      message.nak(Math.min(earlyMs, MAX_DELAY_MS))
      return undefined
    }
    const isOutdated = (record: DeliveryState) =>
      record.replays > replay || (record.replays === replay && isFinal(record))
    if (event === undefined) {
      message.ack()
      return undefined
    }
    const waiting = redelivery.recordOf(asked)
    // An earlier delivery was under way when this one was asked for, and settled after that.
    const isEarlier = found.value === undefined || found.value.replays < replay
    const value = isEarlier ? waiting : found.value!
    if (isOutdated(value)) {
      this.#settledBefore(message, value)
      return undefined
    }
    const { type } = event
    if (!matchesAny(this.#request.patterns, type)) {
      return this.#handOver.toOthers(message, event, type, asked)
    }
    if (this.#waits(message, value, dueAtMs)) return undefined
    return this.#claim(message, sequence, event, replay, { value, revision: found.revision })
  }

  #claim(
    message: JsMsg,
    sequence: number,
    stored: Pick<EventMessage, 'json' | 'time' | 'erased'>,
    replay: number,
    before: Recorded,
  ): NatsClaim {
    this.#count += 1
    return {
      event: JSON.parse(stored.json) as CloudEvent,
      eventJson: stored.json,
      sequence,
      publishedAt: stored.time.toISOString(),
      attempt: Math.max(before.value?.attempts ?? 0, this.#unstored.get(sequence) ?? 0) + 1,
      replay,
      message,
      time: stored.time,
      reply: (message as JsMsg & { reply: string }).reply,
      redelivery: this.#isRedelivery(message),
      isErased: stored.erased !== undefined,
      ...(stored.erased !== undefined && { erased: stored.erased }),
      isBegun: false,
      revision: before.revision,
      owner: `${this.#owner}.${this.#count}`,
      extendedAtMs: performance.now(),
      isGivenBack: false,
      wasSilent: false,
      term: this.#host.term(),
    }
  }

  /** Gives back what comes before its time: a server that forgot what it handed out also forgot until when. */
  #waits(message: JsMsg, before: DeliveryState | undefined, dueAtMs: number): boolean {
    // The retries of an ordered group wait in the process that has the group.
    const retryAtMs = this.#request.ordered ? 0 : (before?.nextAttemptAtMs ?? 0)
    const waitMs = Math.max(dueAtMs, retryAtMs) - this.#host.clock.now()
    if (waitMs <= 0) return false
    message.nak(Math.min(waitMs, MAX_DELAY_MS))
    return true
  }
}

/** An event that comes by its own stream was not erased. */
function fresh(message: JsMsg): Pick<EventMessage, 'json' | 'time'> {
  return { json: message.string(), time: message.time }
}
