import type { JsMsg } from '@nats-io/jetstream'
import type { Claim, CloudEvent, GroupRequest } from '@nexus/event-bus'
import type { ServerClock } from '../connection/server-clock.js'
import type { EventMessage, Events } from '../streams/events.js'
import { DELIVER_AT, type Redelivery, type RedeliveryMessage } from '../streams/redelivery.js'
import {
  type DeliveryState,
  type GroupState,
  isFinal,
  type Revised,
  type State,
} from '../streams/state.js'
import { isWanted, LEFT_MS, matchesAny } from './pattern-sets.js'
import type { SettledBound } from './settled-bound.js'

/** A message that could not be dealt with comes again after this. */
const ERROR_PAUSE_MS = 500
/** A message that another process of the group wants comes again after this, where it cannot be passed on. */
const OTHERS_PAUSE_MS = { parked: 200, ordered: 300_000 }
/** Longer delays overflow the server's arithmetic: what is due later is looked at once a day. */
export const MAX_DELAY_MS = 24 * 3_600_000

/** A claim with the message that stands for it. */
export interface NatsClaim extends Claim {
  message: JsMsg
  /** Where the server hears that the claim is still worked on. */
  reply: string
  /** It came by the redelivery stream, not by the stream of events. */
  redelivery: boolean
  /** The event was erased: what its handler says is not kept. */
  isErased: boolean
  /** Sequence of the record that the claim is based on: a newer one means that the claim was lost. */
  revision: number
  /** Tells what this claim wrote from what another process wrote. */
  owner: string
  /** When the server last heard of it, by the monotonic clock. */
  extendedAtMs: number
  /** Its consumer was closed, and another process has it or will. */
  isGivenBack: boolean
  /** It was silent for so long that another process may have it. */
  wasSilent: boolean
}

/** What it takes to tell whether a message is a claim. */
export interface ClaimsHost {
  state: State
  events: Events
  redelivery: Redelivery
  settledBound: SettledBound
  clock: Pick<ServerClock, 'now'>
  /** The group as the server has it now. */
  readGroup(): Promise<GroupState | undefined>
  /** An event was left to processes with other patterns. */
  onPassedOn(type: string): void
  onError(error: unknown): void
}

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
  #recheckUntil: number | undefined
  /** The server numbers what it hands out: a number that does not rise means that it forgot where it was. */
  #lastHandedOut = 0
  #highestSequence = 0
  /** In no order, and no more at once than a pull brings. */
  #passingOn: Promise<unknown> = Promise.resolve()
  #groupRead:
    | { current: Promise<GroupState | undefined>; next?: Promise<GroupState | undefined> }
    | undefined

  /** @param owner differs for every consumer of the group */
  constructor(request: GroupRequest, owner: string, host: ClaimsHost) {
    this.#request = request
    this.#owner = owner
    this.#host = host
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

  /** The stream of events was made again: its sequences begin again. */
  reset(): void {
    this.distrust()
    this.#highestSequence = 0
    this.#claimed.clear()
  }

  /** Call it for one message after the other. */
  async toClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const claimed = this.#claimed.get(this.#keyOf(message))
    if (claimed !== undefined) {
      // It is being handled: the ack goes to the message that counts now.
      claimed.message = message
      return undefined
    }
    return this.#isRedelivery(message)
      ? this.#toRedeliveryClaim(message)
      : this.#toEventClaim(message)
  }

  add(claim: NatsClaim): void {
    this.#claimed.set(this.#keyOf(claim.message), claim)
  }

  remove({ message }: NatsClaim): void {
    this.#claimed.delete(this.#keyOf(message))
  }

  /** Resolves when others have what is left to them. */
  async passedOn(): Promise<void> {
    await this.#passingOn
  }

  #isRedelivery({ info }: JsMsg): boolean {
    return info.stream === this.#host.state.names.redelivery
  }

  /** Its sequence; negative in the redelivery stream, which has sequences of its own. */
  #keyOf(message: JsMsg): number {
    return this.#isRedelivery(message) ? -message.seq : message.seq
  }

  async #toEventClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const { state, clock } = this.#host
    const type = state.names.typeOf(message.subject)
    this.#highestSequence = Math.max(this.#highestSequence, message.seq)
    if (!matchesAny(this.#request.patterns, type)) {
      this.#inBackground(message, () => this.#leaveToOthers(message, message.seq, type))
      return undefined
    }
    const before = (await this.#mayBeKnown(message))
      ? await state.delivery(this.#request.name, message.seq)
      : undefined
    if (before !== undefined && isFinal(before.value)) {
      // Only the ack was lost.
      message.ack()
      return undefined
    }
    const deliverAtMs = Number(message.headers?.get(DELIVER_AT) || 0)
    if (before?.value.redelivery === true || (before === undefined && deliverAtMs > clock.now())) {
      this.#inBackground(message, () => this.#postpone(message, before?.value, deliverAtMs))
      return undefined
    }
    if (this.#waits(message, before?.value, deliverAtMs)) return undefined
    return this.#claim(message, message.seq, fresh(message), 0, before)
  }

  /** Whether there may be a record of the event. */
  async #mayBeKnown({ seq, info }: JsMsg): Promise<boolean> {
    if (info.deliverySequence <= this.#lastHandedOut) this.distrust()
    this.#lastHandedOut = info.deliverySequence
    this.#recheckUntil ??= await this.#host.settledBound.load()
    return info.deliveryCount > 1 || seq <= this.#recheckUntil
  }

  async #toRedeliveryClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const { state, events, redelivery, clock } = this.#host
    const asked = message.json<RedeliveryMessage>()
    const { sequence, replay, dueAtMs = 0 } = asked
    const earlyMs = dueAtMs - clock.now()
    if (earlyMs > 0) {
      message.nak(Math.min(earlyMs, MAX_DELAY_MS))
      return undefined
    }
    const isOutdated = (record: DeliveryState) =>
      record.replays > replay || (record.replays === replay && isFinal(record))
    const found = await state.delivery(this.#request.name, sequence)
    const waiting = { value: redelivery.recordOf(asked), revision: found?.revision ?? 0 }
    // An earlier delivery was under way when this one was asked for, and settled after that.
    const before = found === undefined || found.value.replays < replay ? waiting : found
    const event = isOutdated(before.value) ? undefined : await events.at(sequence)
    if (event === undefined) {
      message.ack()
      return undefined
    }
    const { type } = event
    if (!matchesAny(this.#request.patterns, type)) {
      this.#inBackground(message, () => this.#leaveToOthers(message, sequence, type, asked))
      return undefined
    }
    if (this.#waits(message, before.value, dueAtMs)) return undefined
    return this.#claim(message, sequence, event, replay, before)
  }

  #claim(
    message: JsMsg,
    sequence: number,
    stored: Pick<EventMessage, 'json' | 'time' | 'erased'>,
    replay: number,
    before: Revised<DeliveryState> | undefined,
  ): NatsClaim {
    this.#count += 1
    return {
      event: JSON.parse(stored.json) as CloudEvent,
      eventJson: stored.json,
      sequence,
      publishedAt: stored.time.toISOString(),
      attempt: (before?.value.attempts ?? 0) + 1,
      replay,
      message,
      reply: (message as JsMsg & { reply: string }).reply,
      redelivery: this.#isRedelivery(message),
      isErased: stored.erased !== undefined,
      ...(stored.erased !== undefined && { erased: stored.erased }),
      revision: before?.revision ?? 0,
      owner: `${this.#owner}.${this.#count}`,
      extendedAtMs: performance.now(),
      isGivenBack: false,
      wasSilent: false,
    }
  }

  #inBackground(message: JsMsg, work: () => Promise<void>): void {
    const done = work().catch((error: unknown) => {
      this.#host.onError(error)
      message.nak(ERROR_PAUSE_MS)
    })
    this.#passingOn = Promise.all([this.#passingOn, done])
  }

  /**
   * Leaves an event to the redelivery stream. What is not due would hold back, here, where the group's settled
   * events end; and the process that asked for another delivery may have died before there was a message for it.
   */
  async #postpone(
    message: JsMsg,
    before: DeliveryState | undefined,
    deliverAtMs: number,
  ): Promise<void> {
    const { redelivery, settledBound } = this.#host
    const { seq: sequence } = message
    const asked: RedeliveryMessage =
      before === undefined
        ? { sequence, replay: 0, dueAtMs: deliverAtMs }
        : { sequence, replay: before.replays, ...dueOf(before) }
    // What was attempted had its message, and has it until it is settled.
    if (before === undefined || before.status === 'pending') {
      await Promise.all([
        settledBound.raise(sequence),
        redelivery.ensure(this.#request.name, asked),
      ])
    }
    message.ack()
  }

  /** Passes on what only other processes of the group ask for; what none asks for, the group has done with. */
  async #leaveToOthers(
    message: JsMsg,
    sequence: number,
    type: string,
    asked?: RedeliveryMessage,
  ): Promise<void> {
    const { state, redelivery, settledBound, clock, onPassedOn } = this.#host
    const { name, ordered } = this.#request
    const group = await this.#readGroup()
    const known = await state.delivery(name, sequence)
    const settled = known !== undefined && isFinal(known.value) && asked === undefined
    // What was asked for once more may be older than the group.
    const position = asked === undefined ? sequence : Number.POSITIVE_INFINITY
    const isUnwanted = group !== undefined && !isWanted(group.sets, type, position, clock.now())
    if (settled || isUnwanted) {
      // It waited for a process that has left since.
      if (known?.value.status === 'pending')
        await state.remove(state.names.delivery(name, sequence))
      message.ack()
      return
    }
    onPassedOn(type)
    // An ordered group goes on in a process that wants it, from here; what is parked already waits.
    const isParked = message.subject === state.names.parkedOf(name, sequence)
    if (ordered || group === undefined || isParked) {
      const isLeaving = group?.sets.some(({ leftAtMs }) => leftAtMs !== undefined)
      const pauseMs = isLeaving ? LEFT_MS : OTHERS_PAUSE_MS.ordered
      message.nak(ordered ? pauseMs : OTHERS_PAUSE_MS.parked)
      return
    }
    const replay = asked?.replay ?? known?.value.replays ?? 0
    const deliverAtMs = Number(message.headers?.get(DELIVER_AT) || 0)
    const dueAtMs = asked?.dueAtMs ?? known?.value.nextAttemptAtMs ?? deliverAtMs
    const parked = { sequence, replay, ...(dueAtMs > 0 && { dueAtMs }) }
    await Promise.all([settledBound.raise(sequence), redelivery.park(name, parked, known)])
    message.ack()
  }

  /** Read after the call, and shared by all that called before the reading began. */
  #readGroup(): Promise<GroupState | undefined> {
    const read = (): Promise<GroupState | undefined> => {
      const current = this.#host.readGroup()
      this.#groupRead = { current }
      const done = (): void => {
        if (this.#groupRead?.current === current && this.#groupRead.next === undefined) {
          this.#groupRead = undefined
        }
      }
      current.then(done, done)
      return current
    }
    if (this.#groupRead === undefined) return read()
    this.#groupRead.next ??= this.#groupRead.current.then(read, read)
    return this.#groupRead.next
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

function dueOf({ nextAttemptAtMs }: DeliveryState): { dueAtMs?: number } {
  return nextAttemptAtMs === undefined ? {} : { dueAtMs: nextAttemptAtMs }
}
