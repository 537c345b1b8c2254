import { randomUUID } from 'node:crypto'
import type { JsMsg } from '@nats-io/jetstream'
import {
  type AppendRequest,
  type Claim,
  type CloudEvent,
  type GroupConsumer,
  type GroupRequest,
  matchesPattern,
  type PublishResult,
  type Settlement,
} from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { GuardedNatsConsumer } from './claim-guard-worker.js'
import type { AgainMessage, NatsAgain } from './nats-again.js'
import type { NatsHighWater } from './nats-high-water.js'
import { LEASE_MS, type NatsLease } from './nats-lease.js'
import type { NatsPuller } from './nats-puller.js'
import { type DeliveryState, isFinal, type LetterState, type NatsState } from './nats-state.js'

/** Header with the epoch milliseconds before which nobody gets the event. */
export const DELIVER_AT = 'Nexus-Deliver-At'

/** Wait after a pull that failed. */
const ERROR_PAUSE_MS = 500

/** A claim with the message that stands for it. */
interface NatsClaim extends Claim {
  message: JsMsg
  /** Where the server hears that the claim is still worked on. */
  reply: string
  /** It was delivered again on request, not by the stream of events. */
  again: boolean
}

/** What a group's consumer needs of its store. */
export interface NatsGroupHost {
  state: NatsState
  again: NatsAgain
  emit(events: readonly AppendRequest[]): Promise<PublishResult[]>
  /** Opens the pulls; for an ordered group, once it is the only consumer. */
  openPullers(
    onEvent: (message: JsMsg) => void,
    onAgain: (message: JsMsg) => void,
    onEnd: (error: unknown) => void,
  ): Promise<NatsPuller[]>
  highWater: NatsHighWater
  lease: NatsLease | undefined
  guard: ClaimGuard
  onError(error: unknown): void
  onSettled(): void
  onClose(): void
}

/** A consumer of a group on JetStream. */
export class NatsGroup implements GroupConsumer {
  readonly name: string
  readonly #request: GroupRequest
  readonly #host: NatsGroupHost
  #pullers: NatsPuller[] = []
  /** Up to here an event may be settled without the server knowing; asked for when the next one comes. */
  #recheckUntil: number | undefined
  /** The server numbers what it hands out: a number that does not rise means that it forgot where it was. */
  #lastHandedOut = 0
  #ready: NatsClaim[] = []
  /** Claims of events by sequence, which may come again when the consumer is made anew. */
  readonly #held = new Map<number, NatsClaim>()
  /** Messages of an earlier opening are left to the server. */
  #epoch = 0
  readonly #guarded: GuardedNatsConsumer
  #arriving = Promise.resolve()
  #wake: (() => void) | undefined
  #cancelLease: (() => void) | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #contending = false
  #closed = false
  /** Given back once nothing is asked for any more: else the server would hand them to this very consumer. */
  readonly #released: JsMsg[] = []

  constructor(request: GroupRequest, host: NatsGroupHost) {
    this.name = request.name
    this.#request = request
    this.#host = host
    const { lease } = host
    this.#guarded =
      lease === undefined
        ? { id: randomUUID(), lapseMs: request.ackWaitMs }
        : {
            id: randomUUID(),
            lapseMs: Math.min(request.ackWaitMs, LEASE_MS),
            lease: { subject: lease.subject, owner: lease.owner },
          }
  }

  /** Starts taking part. */
  async start(): Promise<void> {
    if (this.#host.lease === undefined) await this.#openPullers()
    else await this.#contend(this.#host.lease)
  }

  /** The connection came back. */
  renew(): void {
    this.#recheckUntil = undefined
    if (this.#host.lease !== undefined) void this.#contend(this.#host.lease)
    for (const puller of this.#pullers) puller.renew()
    this.#wake?.()
  }

  /**
   * The connection went away, and perhaps messages with it. An ordered group must not see what comes after
   * them first: it takes nothing more until it has opened anew, where its settled events end.
   */
  interrupt(): void {
    if (this.#host.lease === undefined) return
    this.#epoch += 1
    for (const puller of this.#pullers) puller.close()
    this.#pullers = []
  }

  async fetch(limit: number, signal: AbortSignal): Promise<Claim[]> {
    while (!signal.aborted && !this.#closed) {
      if (this.#ready.length > 0) {
        // Messages of one packet become claims one after the other: they are handed on together.
        if (this.#ready.length < limit) await new Promise(setImmediate)
        this.#host.guard.flush()
        return this.#ready.splice(0, limit)
      }
      for (const puller of this.#pullers) puller.want(limit)
      await this.#changed(signal)
    }
    return []
  }

  async settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]> {
    const { sequence } = claim
    const { state } = this.#host
    const record = toDelivery(claim as NatsClaim, settlement)
    const emitted = settlement.kind === 'ack' ? await this.#host.emit(settlement.emit) : []
    if (settlement.kind === 'dead-letter') {
      const letter: LetterState = {
        attempts: claim.attempt,
        atMs: record.updatedAtMs,
        error: settlement.error,
        ...(settlement.record !== undefined && { record: settlement.record }),
      }
      await state.write(state.names.dead(this.name, sequence), letter)
    }
    // The record is what counts: a message that comes again is compared with it.
    await Promise.all([
      this.#host.highWater.raise(sequence),
      state.write(state.names.delivery(this.name, sequence), record),
    ])
    const { message } = claim as NatsClaim
    if (settlement.kind !== 'retry' || !settlement.hold) {
      this.#held.delete(sequence)
      this.#host.guard.release(this.#guarded, (claim as NatsClaim).reply)
    }
    if (settlement.kind === 'release') this.#released.push(message)
    else if (settlement.kind !== 'retry') message.ack()
    else if (settlement.hold) {
      message.working()
      claim.attempt += 1
    } else message.nak(Math.max(1, settlement.delayMs))
    this.#host.onSettled()
    return emitted
  }

  extend(claims: readonly Claim[]): void {
    this.#host.guard.beat()
    for (const { message } of claims as readonly NatsClaim[]) message.working()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelLease?.()
    clearTimeout(this.#heartbeat)
    for (const puller of this.#pullers) puller.close()
    await this.#arriving
    await this.#giveBack()
    this.#wake?.()
    await this.#host.lease?.release()
    this.#host.onClose()
  }

  async #openPullers(): Promise<void> {
    this.#recheckUntil = undefined
    this.#pullers = await this.#host.openPullers(
      (message) => this.#arrived(message, () => this.#toEventClaim(message)),
      (message) => this.#arrived(message, () => this.#toAgainClaim(message)),
      (error) => void this.#pullEnded(error),
    )
    if (this.#closed) for (const puller of this.#pullers) puller.close()
    this.#wake?.()
  }

  /** Whoever waits for events asks again, at once or, after an error, in a while. */
  async #pullEnded(error: unknown): Promise<void> {
    await this.#arriving
    if (error !== undefined) {
      this.#host.onError(error)
      await new Promise((resolve) => setTimeout(resolve, ERROR_PAUSE_MS).unref())
    }
    this.#wake?.()
  }

  /** Waits for its turn to be the one consumer, and steps back when the lease is lost. */
  async #contend(lease: NatsLease): Promise<void> {
    if (this.#closed || this.#contending) return
    this.#contending = true
    this.#host.guard.beat()
    try {
      const had = this.#pullers.length > 0
      const has = await lease.take()
      if (has && !had) await this.#openPullers()
      if (!has && had) {
        this.interrupt()
        await this.#giveBack()
      }
    } catch (error) {
      this.#host.onError(error)
    }
    this.#contending = false
    if (this.#closed) return
    this.#cancelLease?.()
    const timer = setTimeout(() => void this.#contend(lease), LEASE_MS / 4)
    this.#cancelLease = () => clearTimeout(timer)
  }

  /** Claims are made one after the other, so that they stay in the order of their messages. */
  #arrived(message: JsMsg, toClaim: () => Promise<NatsClaim | undefined>): void {
    const epoch = this.#epoch
    this.#arriving = this.#arriving.then(async () => {
      if (epoch !== this.#epoch) return
      try {
        const claim = await toClaim()
        if (claim === undefined || epoch !== this.#epoch) return
        if (!claim.again) this.#held.set(claim.sequence, claim)
        this.#host.guard.hold(this.#guarded, claim.reply)
        this.#ready.push(claim)
        this.#keepReady()
        this.#wake?.()
      } catch (error) {
        this.#host.onError(error)
        this.interrupt()
        if (this.#host.lease === undefined) message.nak(1_000)
      }
    })
  }

  async #toEventClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const { state } = this.#host
    const type = state.names.typeOf(message.subject)
    if (!this.#request.patterns.some((pattern) => matchesPattern(pattern, type))) {
      message.ack()
      return undefined
    }
    const held = this.#held.get(message.seq)
    if (held !== undefined) {
      // It is being handled: the ack goes to the message that counts now.
      held.message = message
      return undefined
    }
    const before = (await this.#mayBeKnown(message))
      ? await state.delivery(this.name, message.seq)
      : undefined
    if (before !== undefined && (isFinal(before) || before.again)) {
      // Settled before, but the ack was lost; or another message has taken over.
      message.ack()
      return undefined
    }
    const deliverAtMs = Number(message.headers?.get(DELIVER_AT) || 0)
    if (before === undefined && deliverAtMs > Date.now()) {
      await this.#postpone(message, deliverAtMs)
      return undefined
    }
    if (await this.#waits(message, message.seq, before)) return undefined
    return this.#claim(message, message.seq, message, 0, before)
  }

  /** Whether there may be a record of the event. */
  async #mayBeKnown({ seq, info }: JsMsg): Promise<boolean> {
    if (info.deliverySequence <= this.#lastHandedOut) this.#recheckUntil = undefined
    this.#lastHandedOut = info.deliverySequence
    this.#recheckUntil ??= await this.#host.highWater.load()
    return info.deliveryCount > 1 || seq <= this.#recheckUntil
  }

  async #toAgainClaim(message: JsMsg): Promise<NatsClaim | undefined> {
    const { state } = this.#host
    const { sequence, replay, dueAtMs } = message.json<AgainMessage>()
    let before = await state.delivery(this.name, sequence)
    const outdated = () => before !== undefined && (before.replays !== replay || isFinal(before))
    if (outdated()) {
      // Perhaps only the copy that was read is.
      before = (await state.newest(state.names.delivery(this.name, sequence)))?.json()
    }
    const event = await state.event(sequence)
    if (event === undefined || outdated()) {
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
      again: message.info.stream === this.#host.state.names.again,
    }
  }

  /** What is not due would hold back where the group's settled events end: another stream keeps it. */
  async #postpone(message: JsMsg, dueAtMs: number): Promise<void> {
    await Promise.all([
      this.#host.highWater.raise(message.seq),
      this.#host.again.postpone(this.name, message.seq, dueAtMs),
    ])
    message.ack()
  }

  /** Gives back what comes before its time: a server that forgot what it handed out also forgot until when. */
  async #waits(
    message: JsMsg,
    sequence: number,
    before: DeliveryState | undefined,
    dueAtMs = 0,
  ): Promise<boolean> {
    // The retries of an ordered group wait in the process that has the group.
    const retryAtMs = this.#request.ordered ? 0 : (before?.nextAttemptAtMs ?? 0)
    const waitMs = Math.max(dueAtMs, retryAtMs) - Date.now()
    if (waitMs <= 0) return false
    const handedOut = message.info.deliveryCount
    if (before !== undefined && before.handedOut < handedOut) {
      const { state } = this.#host
      await state.write(state.names.delivery(this.name, sequence), { ...before, handedOut })
    }
    message.nak(waitMs)
    return true
  }

  /** What waits here is claimed, too: it must not lapse before somebody fetches it. */
  #keepReady(): void {
    this.#heartbeat ??= setTimeout(() => {
      this.#heartbeat = undefined
      this.#host.guard.beat()
      for (const { message } of this.#ready) message.working()
      if (this.#ready.length > 0) this.#keepReady()
    }, this.#request.ackWaitMs / 3)
  }

  async #giveBack(): Promise<void> {
    for (const claim of this.#ready.splice(0)) {
      await this.settle(claim, { kind: 'release' }).catch(this.#host.onError)
    }
    for (const message of this.#released.splice(0)) message.nak()
  }

  async #changed(signal: AbortSignal): Promise<void> {
    if (this.#ready.length > 0 || signal.aborted || this.#closed) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
      this.#wake = done
    })
  }
}

function toDelivery(claim: NatsClaim, settlement: Settlement): DeliveryState {
  const { info } = claim.message
  const base = {
    replays: claim.replay,
    updatedAtMs: Date.now(),
    handedOut: info.deliveryCount,
    ...(claim.again && { again: true as const }),
  }
  if (settlement.kind === 'release') {
    return { ...base, status: 'pending', attempts: claim.attempt - 1 }
  }
  const state: DeliveryState = {
    ...base,
    status: STATUS[settlement.kind],
    attempts: claim.attempt,
    durationMs: settlement.durationMs,
  }
  if (settlement.record !== undefined) state.record = settlement.record
  if (settlement.kind !== 'ack') state.error = settlement.error
  if (settlement.kind === 'retry') state.nextAttemptAtMs = base.updatedAtMs + settlement.delayMs
  return state
}

const STATUS = { ack: 'succeeded', retry: 'retrying', 'dead-letter': 'dead-lettered' } as const
