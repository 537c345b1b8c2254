import { randomUUID } from 'node:crypto'
import type { JsMsg } from '@nats-io/jetstream'
import type {
  AppendRequest,
  Claim,
  GroupConsumer,
  GroupRequest,
  PublishResult,
  Settlement,
} from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { GuardedNatsConsumer } from '../claim-guard-worker.js'
import type { Redelivery } from '../streams/redelivery.js'
import type { DeliveryState, LetterState, State } from '../streams/state.js'
import { Claims, type NatsClaim } from './claims.js'
import { LEASE_MS, type Lease } from './lease.js'
import type { Puller } from './puller.js'
import type { SettledBound } from './settled-bound.js'

/** Wait after a request that failed. */
const ERROR_PAUSE_MS = 500

/** What a group's consumer needs of its store. */
export interface GroupHost {
  state: State
  redelivery: Redelivery
  emit(events: readonly AppendRequest[]): Promise<PublishResult[]>
  /** Opens the pulls; for an ordered group, once it is the only consumer. */
  openPullers(
    onMessage: (message: JsMsg) => void,
    onEnd: (error: unknown) => void,
  ): Promise<Puller[]>
  settledBound: SettledBound
  lease: Lease | undefined
  guard: ClaimGuard
  onError(error: unknown): void
  onSettled(): void
  onClose(): void
}

/** A consumer of a group on JetStream. */
export class Group implements GroupConsumer {
  readonly name: string
  readonly #request: GroupRequest
  readonly #host: GroupHost
  readonly #claims: Claims
  #pullers: Puller[] = []
  #ready: NatsClaim[] = []
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

  constructor(request: GroupRequest, host: GroupHost) {
    this.name = request.name
    this.#request = request
    this.#host = host
    this.#claims = new Claims(request, host)
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
    this.#claims.distrust()
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
      this.#host.settledBound.raise(sequence),
      state.write(state.names.delivery(this.name, sequence), record),
    ])
    const { message } = claim as NatsClaim
    if (settlement.kind !== 'retry' || !settlement.hold) {
      this.#claims.release(claim as NatsClaim)
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

  // An attempt is counted by its claim: the start of its handler is not noted yet.
  begin(claims: readonly Claim[]): readonly Claim[] {
    return claims
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
    await this.#claims.handedOn()
    await this.#giveBack()
    this.#wake?.()
    await this.#host.lease?.release()
    this.#host.onClose()
  }

  async #openPullers(): Promise<void> {
    this.#claims.distrust()
    this.#pullers = await this.#host.openPullers(
      (message) => this.#arrived(message),
      (error) => void this.#pullEnded(error),
    )
    if (this.#closed) for (const puller of this.#pullers) puller.close()
    this.#wake?.()
  }

  /** Whoever waits for events asks redelivery, at once or, after an error, in a while. */
  async #pullEnded(error: unknown): Promise<void> {
    await this.#arriving
    await this.#claims.handedOn()
    if (error !== undefined) {
      this.#host.onError(error)
      await new Promise((resolve) => setTimeout(resolve, ERROR_PAUSE_MS).unref())
    }
    this.#wake?.()
  }

  /** Waits for its turn to be the one consumer, and steps back when the lease is lost. */
  async #contend(lease: Lease): Promise<void> {
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
  #arrived(message: JsMsg): void {
    const epoch = this.#epoch
    this.#arriving = this.#arriving.then(async () => {
      if (epoch !== this.#epoch) return
      try {
        const claim = await this.#claims.toClaim(message)
        if (claim === undefined || epoch !== this.#epoch) return
        this.#claims.hold(claim)
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
  const base = {
    replays: claim.replay,
    updatedAtMs: Date.now(),
    handedOut: claim.message.info.deliveryCount,
    ...(claim.redelivery && { redelivery: true as const }),
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
