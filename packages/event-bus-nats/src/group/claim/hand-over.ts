import type { JsMsg } from '@nats-io/jetstream'
import type { GroupRequest } from '@nexus/event-bus'
import type { ServerClock } from '../../connection/server-clock.js'
import { DELIVER_AT, type Redelivery, type RedeliveryMessage } from '../../streams/redelivery.js'
import {
  type DeliveryState,
  type EventRef,
  type GroupState,
  isFinal,
  type State,
} from '../../streams/state.js'
import { hasLeft, isWanted, LEFT_MS } from '../pattern-sets.js'
import type { SettledBound } from '../settled-bound.js'

/** A message that could not be dealt with comes again after this. */
const ERROR_PAUSE_MS = 500
/** A message that another process of the group wants comes again after this, where it cannot be passed on. */
const OTHERS_PAUSE_MS = { parked: 200, ordered: 300_000, orderedRedelivery: 5_000 }

/** What it takes to hand events over. */
export interface HandOverHost {
  state: State
  redelivery: Redelivery
  settledBound: SettledBound
  clock: Pick<ServerClock, 'now'>
  /** The group as the server has it now. */
  readGroup(): Promise<GroupState | undefined>
  /** An event was left to processes with other patterns; answers whether the ordered group goes on in one of them. */
  onPassedOn(type: string): Promise<boolean>
  onError(error: unknown): void
}

/**
 * Hands over what this process got and does not handle now: what is not due, to the redelivery stream; what only other
 * processes of the group ask for, to them. No more at once than a pull brings; in no order, but in a group that keeps one
 * nothing passes what is left to others.
 */
export class HandOver {
  readonly #request: GroupRequest
  readonly #host: HandOverHost
  #underWay: Promise<unknown> = Promise.resolve()
  #groupRead:
    | { current: Promise<GroupState | undefined>; next?: Promise<GroupState | undefined> }
    | undefined

  constructor(request: GroupRequest, host: HandOverHost) {
    this.#request = request
    this.#host = host
  }

  /** Resolves when all is handed over. */
  async done(): Promise<void> {
    await this.#underWay
  }

  /** Leaves an event that is not due to the redelivery stream. */
  postpone(message: JsMsg, before: DeliveryState | undefined, deliverAtMs: number): void {
    this.#inBackground(message, () => this.#postpone(message, before, deliverAtMs))
  }

  /** Leaves an event to processes of the group with other patterns; in order, what comes behind it has to wait for the answer. */
  toOthers(
    message: JsMsg,
    event: EventRef,
    type: string,
    asked?: RedeliveryMessage,
  ): Promise<undefined> | undefined {
    const work = () => this.#toOthers(message, event, type, asked)
    if (this.#request.ordered) return work()
    this.#inBackground(message, work)
    return undefined
  }

  #inBackground(message: JsMsg, work: () => Promise<void>): void {
    const done = work().catch((error: unknown) => {
      this.#host.onError(error)
      message.nak(ERROR_PAUSE_MS)
    })
    this.#underWay = Promise.all([this.#underWay, done])
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
    const eventAtMs = message.time.getTime()
    const asked: RedeliveryMessage =
      before === undefined
        ? { sequence, eventAtMs, replay: 0, dueAtMs: deliverAtMs }
        : { sequence, eventAtMs, replay: before.replays, ...dueOf(before) }
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
  async #toOthers(
    message: JsMsg,
    event: EventRef,
    type: string,
    asked?: RedeliveryMessage,
  ): Promise<undefined> {
    const { state, redelivery, settledBound, clock, onPassedOn } = this.#host
    const { name, ordered } = this.#request
    const { sequence } = event
    const group = await this.#readGroup()
    const known = await state.delivery(name, event)
    const settled = known.value !== undefined && isFinal(known.value) && asked === undefined
    // What was asked for once more may be older than the group.
    const position = asked === undefined ? sequence : Number.POSITIVE_INFINITY
    const isUnwanted = group !== undefined && !isWanted(group.sets, type, position, clock.now())
    if (settled || isUnwanted) {
      // It waited for a process that has left since.
      if (known.value?.status === 'pending')
        await state.remove(state.names.delivery(name, sequence))
      message.ack()
      return
    }
    const goesOnThere = await onPassedOn(type)
    // An ordered group goes on in a process that wants it, from here; what is parked already waits.
    const isParked = message.subject === state.names.parkedOf(name, sequence)
    if (ordered || group === undefined || isParked) {
      const { parked, ordered: last, orderedRedelivery } = OTHERS_PAUSE_MS
      const isLeaving = group?.sets.some(hasLeft)
      const pauseMs = isLeaving ? LEFT_MS : asked === undefined ? last : orderedRedelivery
      message.nak(goesOnThere ? 1 : ordered ? pauseMs : parked)
      return
    }
    const replay = asked?.replay ?? known.value?.replays ?? 0
    const deliverAtMs = Number(message.headers?.get(DELIVER_AT) || 0)
    const dueAtMs = asked?.dueAtMs ?? known.value?.nextAttemptAtMs ?? deliverAtMs
    const eventAtMs = event.time.getTime()
    const parked = { sequence, eventAtMs, replay, ...(dueAtMs > 0 && { dueAtMs }) }
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
}

function dueOf({ nextAttemptAtMs }: DeliveryState): { dueAtMs?: number } {
  return nextAttemptAtMs === undefined ? {} : { dueAtMs: nextAttemptAtMs }
}
