import { randomUUID } from 'node:crypto'
import type { JsMsg } from '@nats-io/jetstream'
import {
  type AppendRequest,
  type Claim,
  claimLost,
  type GroupConsumer,
  type GroupRequest,
  type PublishResult,
  type Settlement,
} from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { GuardedNatsConsumer } from '../claim-guard-worker.js'
import type { ServerClock } from '../connection/server-clock.js'
import { isFull } from '../connection/unavailable.js'
import type { Events } from '../streams/events.js'
import type { Redelivery } from '../streams/redelivery.js'
import {
  type DeliveryState,
  type GroupState,
  type State,
  withoutContent,
} from '../streams/state.js'
import { Claims, MAX_DELAY_MS, type NatsClaim } from './claims.js'
import { LEASE_MS, type Lease } from './lease.js'
import { keyOf, matchesAny, type PatternSet } from './pattern-sets.js'
import type { Puller } from './puller.js'
import type { SettledBound } from './settled-bound.js'
import { toBegun, toDelivery, toLetter } from './to-delivery.js'

/** Wait after a request that failed. */
const ERROR_PAUSE_MS = 500
/** A message whose record another process has just written comes again after this. */
const CONFLICT_PAUSE_MS = 20
/** A process that parks events looks this often whether another one parked some for it. */
const PARKED_EVERY_MS = 5_000
const PARKED_PULL_MS = 1_000
/** So long after the last event that it parked it counts as such a process. */
const PARKS_MS = 60_000

/** Records that a full server may leave out: the event is handled, and then acked. */
const CAN_DO_WITHOUT: readonly string[] = ['running', 'succeeded']

/** What a group's consumer needs of its store. */
export interface GroupHost {
  state: State
  events: Events
  redelivery: Redelivery
  clock: Pick<ServerClock, 'now'>
  emit(events: readonly AppendRequest[]): Promise<PublishResult[]>
  readGroup(): Promise<GroupState | undefined>
  /** Says that the patterns are still in use. */
  confirm(): Promise<void>
  /** Says that this process takes part no longer. */
  leave(): Promise<void>
  /** Makes what the server has forgotten; answers whether there was something. */
  restore(startAfter: number): Promise<boolean>
  /** Opens the pulls; for an ordered group, once it is the only consumer. */
  openPullers(onMessage: OnMessage, onEnd: OnEnd): Promise<Puller[]>
  /** Opens the pull of what other processes of the group left to this one. */
  openParked(onMessage: OnMessage, onEnd: OnEnd): Promise<Puller>
  settledBound: SettledBound
  lease: Lease | undefined
  /** Says that a process with these patterns waits for the lease. */
  waitForLease(): Promise<void>
  /** Whether a process with one of these sets waits for the lease. */
  isLeaseWanted(sets: readonly PatternSet[]): Promise<boolean>
  guard: ClaimGuard
  onError(error: unknown): void
  onSettled(): void
  onClose(): void
}

type OnMessage = (message: JsMsg) => void
type OnEnd = (error: unknown) => void

/** A consumer of a group on JetStream. */
export class Group implements GroupConsumer {
  readonly name: string
  readonly #request: GroupRequest
  readonly #host: GroupHost
  readonly #claims: Claims
  #pullers: Puller[] = []
  #parked: Promise<Puller> | undefined
  #lastParkedPullMs = 0
  #lastPassedOnMs = Number.NEGATIVE_INFINITY
  #parkedTimer: NodeJS.Timeout | undefined
  #ready: NatsClaim[] = []
  /** Messages of an earlier opening are left to the server. */
  #epoch = 0
  readonly #guarded: GuardedNatsConsumer
  #arriving = Promise.resolve()
  #wake: (() => void) | undefined
  #cancelLease: (() => void) | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #contending = false
  /** Types that only other processes of an ordered group ask for, met since it was opened. */
  readonly #leftTypes = new Set<string>()
  /** The lease is given to another process by then, or when all claims are settled. */
  #leaveByMs: number | undefined
  #contendFromMs = 0
  /** Processes with other patterns take part, or did not long ago. */
  #hasOthers = false
  #repairing: Promise<void> | undefined
  #closed = false
  /** Given back once nothing is asked for any more: else the server would hand them to this very consumer. */
  readonly #released: JsMsg[] = []

  constructor(request: GroupRequest, host: GroupHost) {
    this.name = request.name
    this.#request = request
    this.#host = host
    const id = randomUUID()
    this.#claims = new Claims(request, id, {
      ...host,
      onPassedOn: (type) => this.#passedOn(type),
    })
    const { lease } = host
    this.#guarded =
      lease === undefined
        ? { id, lapseMs: request.ackWaitMs }
        : {
            id,
            lapseMs: Math.min(request.ackWaitMs, LEASE_MS),
            lease: { subject: lease.subject, owner: lease.owner },
          }
  }

  /**
   * Starts taking part.
   *
   * @param settledUntil sequence up to which the group is known to have settled everything
   */
  async start(settledUntil: number): Promise<void> {
    this.#claims.startAfter(settledUntil)
    if (this.#host.lease === undefined) await this.#openPullers()
    else await this.#contend(this.#host.lease)
  }

  /** The group changed on the server. */
  changed({ sets }: Pick<GroupState, 'sets'>): void {
    this.#hasOthers = sets.length > 1
    const own = sets.find(({ patterns }) => keyOf(patterns) === keyOf(this.#request.patterns))
    // Another process with the same patterns has closed.
    if (own?.leftAtMs !== undefined && !this.#closed) this.confirm().catch(this.#host.onError)
    if (!this.#hasOthers || this.#closed || this.#request.ordered || this.#parked !== undefined)
      return
    this.#parked = this.#host.openParked(
      (message) => this.#arrived(message),
      (error) => void this.#pullEnded(error),
    )
    this.#parked.then(
      (puller) => {
        if (this.#closed) puller.close()
        this.#wake?.()
      },
      (error: unknown) => {
        this.#parked = undefined
        this.#host.onError(error)
      },
    )
  }

  /** The connection came back. */
  renew(): void {
    this.#claims.distrust()
    if (this.#host.lease !== undefined) void this.#contend(this.#host.lease)
    for (const puller of this.#pullers) puller.renew()
    void this.#parked?.then((puller) => puller.renew())
    this.#wake?.()
  }

  /**
   * Makes what the server has forgotten, from where the group is known to be, and goes on.
   *
   * @param isEmpty the stream of events was made again, and counts from the beginning
   */
  repair(isEmpty = false): Promise<void> {
    this.#repairing ??= this.#repair(isEmpty).finally(() => {
      this.#repairing = undefined
    })
    return this.#repairing
  }

  /**
   * The connection went away, and perhaps messages with it. An ordered group must not see what comes after
   * them first: it takes nothing more until it has opened again, where its settled events end.
   */
  interrupt(): void {
    if (this.#host.lease === undefined) return
    this.#epoch += 1
    this.#closePullers()
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
      void this.#parked?.then((puller) => this.#wantParked(puller, limit))
      await this.#changed(signal)
    }
    return []
  }

  async settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]> {
    const own = claim as NatsClaim
    const { state, clock } = this.#host
    if (own.isGivenBack) throw claimLost(this.name, own.event)
    if (this.#claims.wasSilent(own)) await this.#assertOwned(own)
    const record = toDelivery(own, settlement, clock.now())
    const emitted = settlement.kind === 'ack' ? await this.#host.emit(settlement.emit) : []
    const dead = state.names.dead(this.name, own.sequence)
    const wasErased = own.isErased
    if (settlement.kind === 'dead-letter') await state.write(dead, toLetter(record))
    // The record is what counts: a message that comes again is compared with it.
    const stored = await this.#store(own, record)
    const { message } = own
    if (!stored) {
      this.#forget(own)
      if (settlement.kind === 'dead-letter') await state.remove(dead)
      throw claimLost(this.name, own.event)
    }
    if (settlement.kind === 'dead-letter' && own.isErased && !wasErased) {
      await state.write(dead, toLetter(withoutContent(record)))
    }
    if (settlement.kind !== 'retry' || !settlement.inPlace) this.#forget(own)
    if (settlement.kind === 'release') this.#released.push(message)
    else if (settlement.kind !== 'retry') message.ack()
    else if (settlement.inPlace) {
      message.working()
      claim.attempt += 1
    } else message.nak(Math.min(Math.max(1, settlement.delayMs), MAX_DELAY_MS))
    this.#host.onSettled()
    return emitted
  }

  async begin(claims: readonly Claim[]): Promise<readonly Claim[]> {
    const begun = await Promise.all(
      (claims as readonly NatsClaim[]).map(async (claim) => {
        if (claim.isGivenBack) return undefined
        if (await this.#store(claim, toBegun(claim, this.#host.clock.now()))) return claim
        // Another process wrote a record since: the message comes again, and is compared with it.
        this.#forget(claim)
        claim.message.nak(CONFLICT_PAUSE_MS)
        return undefined
      }),
    )
    return begun.filter((claim) => claim !== undefined)
  }

  extend(claims: readonly Claim[]): void {
    this.#host.guard.beat()
    for (const claim of claims as readonly NatsClaim[]) this.#claims.extend(claim)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelLease?.()
    clearTimeout(this.#heartbeat)
    clearTimeout(this.#parkedTimer)
    this.#closePullers()
    const parked = await this.#parked?.catch(() => undefined)
    parked?.close()
    await this.#arriving
    await this.#claims.passedOn()
    await this.#giveBack()
    this.#giveUp()
    this.#wake?.()
    await this.#host.lease?.release()
    await this.#host.leave().catch(this.#host.onError)
    this.#host.onClose()
  }

  /** Says that the patterns are still in use. */
  async confirm(): Promise<void> {
    await this.#host.confirm()
  }

  async #repair(isEmpty: boolean): Promise<void> {
    if (isEmpty) {
      this.#epoch += 1
      this.#claims.reset()
      this.#ready.length = 0
    }
    this.#claims.distrust()
    const forgotten = await this.#host.restore(this.#claims.settledUntil)
    if (!forgotten || this.#closed) return
    this.#closePullers()
    void this.#parked?.then((puller) => puller.renew())
    if (this.#host.lease === undefined) await this.#openPullers()
    else void this.#contend(this.#host.lease)
  }

  #closePullers(): void {
    for (const puller of this.#pullers) puller.close()
    this.#pullers = []
  }

  #forget(claim: NatsClaim): void {
    this.#claims.remove(claim)
    this.#host.guard.remove(this.#guarded, claim.reply)
  }

  async #store(claim: NatsClaim, record: DeliveryState): Promise<boolean> {
    try {
      const [, stored] = await Promise.all([
        this.#host.settledBound.raise(claim.sequence),
        this.#record(claim, record),
      ])
      return stored
    } catch (error) {
      // A full server takes no record, but an ack: what is handled must not keep it full.
      if (!isFull(error) || !CAN_DO_WITHOUT.includes(record.status)) throw error
      this.#host.onError(error)
      return true
    }
  }

  /** Whether the record of a claim could be written; not when another process has claimed or settled the event. */
  async #record(claim: NatsClaim, record: DeliveryState): Promise<boolean> {
    const { state } = this.#host
    const subject = state.names.delivery(this.name, claim.sequence)
    for (;;) {
      const stored = claim.isErased ? withoutContent(record) : record
      const revision = await state.replace(subject, stored, claim.revision)
      if (revision !== undefined) {
        claim.revision = revision
        return true
      }
      const newest = await state.revised<DeliveryState>(subject)
      // A replay was asked for meanwhile: its record must stay.
      if (newest !== undefined && newest.value.replays > claim.replay)
        return record.status !== 'running'
      const isOwn = newest === undefined || newest.value.owner === claim.owner
      if (!isOwn) return false
      // The event was erased while its handler ran.
      if (newest?.value.erased) claim.isErased = true
      // The answer to an earlier write was lost, or the record with the whole stream.
      claim.revision = newest?.revision ?? 0
    }
  }

  /** Before anything is stored for a claim that was silent for too long. */
  async #assertOwned(claim: NatsClaim): Promise<void> {
    const { state } = this.#host
    const subject = state.names.delivery(this.name, claim.sequence)
    const newest = await state.revised<DeliveryState>(subject)
    const revision = newest?.revision ?? 0
    if (revision <= claim.revision || newest?.value.owner === claim.owner) return
    if (newest!.value.replays > claim.replay) return
    this.#forget(claim)
    throw claimLost(this.name, claim.event)
  }

  async #openPullers(): Promise<void> {
    this.#claims.distrust()
    this.#leftTypes.clear()
    this.#pullers = await this.#host.openPullers(
      (message) => this.#arrived(message),
      (error) => void this.#pullEnded(error),
    )
    if (this.#closed) this.#closePullers()
    this.#wake?.()
  }

  /** An event was left to processes with other patterns. */
  #passedOn(type: string): void {
    this.#leftTypes.add(type)
    this.#lastPassedOnMs = performance.now()
  }

  get #parks(): boolean {
    return performance.now() - this.#lastPassedOnMs < PARKS_MS
  }

  /** A process that parks events leaves what is parked to the others, and looks now and then. */
  #wantParked(puller: Puller, limit: number): void {
    if (!this.#parks) {
      puller.want(limit)
      return
    }
    const waitMs = this.#lastParkedPullMs + PARKED_EVERY_MS - performance.now()
    if (waitMs <= 0) {
      this.#lastParkedPullMs = performance.now()
      puller.want(limit, PARKED_PULL_MS)
      return
    }
    this.#parkedTimer ??= setTimeout(() => {
      this.#parkedTimer = undefined
      this.#wake?.()
    }, waitMs)
  }

  /** What waits for events asks again, at once or, after an error, in a while. */
  async #pullEnded(error: unknown): Promise<void> {
    await this.#arriving
    await this.#claims.passedOn()
    if (error !== undefined) {
      this.#host.onError(error)
      await new Promise((resolve) => setTimeout(resolve, ERROR_PAUSE_MS).unref())
      // The consumer may be gone.
      if (!this.#closed) await this.repair().catch(this.#host.onError)
    }
    this.#wake?.()
  }

  /** Waits for its turn to be the one consumer, and steps back when the lease is lost. */
  async #contend(lease: Lease): Promise<void> {
    if (this.#closed || this.#contending) return
    this.#contending = true
    this.#host.guard.beat()
    try {
      if (performance.now() >= this.#contendFromMs) {
        await this.#take(lease)
        if (!lease.held && this.#hasOthers) await this.#host.waitForLease()
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

  async #take(lease: Lease): Promise<void> {
    const had = this.#pullers.length > 0
    const has = await lease.take()
    if (!has && had) {
      this.interrupt()
      await this.#giveBack()
    }
    if (!has) this.#leaveByMs = undefined
    else if (this.#leaveByMs !== undefined) await this.#leave(lease, this.#leaveByMs)
    else if (!had) await this.#openPullers()
    else if (await this.#shouldLeave()) {
      // What is claimed is settled first: the next owner begins where that ends.
      this.#leaveByMs = performance.now() + this.#request.ackWaitMs
      this.interrupt()
      await this.#giveBack()
      await this.#leave(lease, this.#leaveByMs)
    }
  }

  /** Whether this process has left events behind that another one waits for. */
  async #shouldLeave(): Promise<boolean> {
    if (this.#leftTypes.size === 0) return false
    const own = keyOf(this.#request.patterns)
    const group = await this.#host.readGroup()
    const others = (group?.sets ?? []).filter(
      ({ patterns }) =>
        keyOf(patterns) !== own && [...this.#leftTypes].some((type) => matchesAny(patterns, type)),
    )
    return this.#host.isLeaseWanted(others)
  }

  async #leave(lease: Lease, byMs: number): Promise<void> {
    if (this.#claims.size > 0 && performance.now() < byMs) return
    this.#leaveByMs = undefined
    await lease.release()
    this.#contendFromMs = performance.now() + LEASE_MS
  }

  /** Claims are made one after the other, so that they stay in the order of their messages. */
  #arrived(message: JsMsg): void {
    const epoch = this.#epoch
    this.#arriving = this.#arriving.then(async () => {
      if (epoch !== this.#epoch) return
      try {
        const claim = await this.#claims.toClaim(message)
        if (claim === undefined || epoch !== this.#epoch) return
        this.#claims.add(claim)
        this.#host.guard.add(this.#guarded, claim.reply)
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

  /** What waits here is claimed, too: it must not lapse before it is fetched. */
  #keepReady(): void {
    this.#heartbeat ??= setTimeout(() => {
      this.#heartbeat = undefined
      this.#host.guard.beat()
      for (const claim of this.#ready) this.#claims.extend(claim)
      if (this.#ready.length > 0) this.#keepReady()
    }, this.#request.ackWaitMs / 3)
  }

  async #giveBack(): Promise<void> {
    for (const claim of this.#ready.splice(0)) {
      await this.settle(claim, { kind: 'release' }).catch(this.#host.onError)
    }
    for (const message of this.#released.splice(0)) message.nak()
  }

  /** What was fetched and is not settled goes to another process. */
  #giveUp(): void {
    for (const claim of this.#claims.open) {
      claim.isGivenBack = true
      this.#forget(claim)
      claim.message.nak()
    }
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
