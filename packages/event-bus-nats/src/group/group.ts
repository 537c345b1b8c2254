import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { JsMsg } from '@nats-io/jetstream'
import {
  type Claim,
  claimLost,
  EventBusError,
  emittedBy,
  type GroupConsumer,
  type GroupRequest,
  type PublishResult,
  type Settlement,
} from '@nexus/event-bus'
import type { GuardedNatsConsumer } from '../claim-guard-worker.js'
import { isFull } from '../connection/unavailable.js'
import { withoutContent } from '../streams/state.js'
import { ClaimRecords } from './claim/claim-records.js'
import { Claims, MAX_DELAY_MS } from './claim/claims.js'
import type { NatsClaim } from './claim/nats-claim.js'
import { changesOf, toBegun, toDelivery, toLetter } from './claim/to-delivery.js'
import type { GroupPosition, JoinedGroup } from './group-consumers.js'
import type { GroupHost, TurnFree } from './group-host.js'
import { LEASE_MS } from './order/lease.js'
import { Turn } from './order/turn.js'
import {
  commonPattern,
  hasLeft,
  keyOf,
  mergedSets,
  type PatternSet,
  setsInUse,
} from './pattern-sets.js'
import { Arrivals } from './pull/arrivals.js'
import { ParkedPuller } from './pull/parked-puller.js'
import type { Puller } from './pull/puller.js'

/** Wait after a request that failed. */
const ERROR_PAUSE_MS = 500
/** A message whose record another process has just written comes again after this. */
const CONFLICT_PAUSE_MS = 20
/** A message that could not be read comes again after this. */
const FAILED_PAUSE_MS = 1_000
/** An event that a full server takes no record of comes again after this. */
const FULL_PAUSE_MS = 5_000

/** A consumer of a group on JetStream. */
export class Group implements GroupConsumer {
  readonly name: string
  readonly #request: GroupRequest
  readonly #host: GroupHost
  readonly #claims: Claims
  readonly #records: ClaimRecords
  readonly #guarded: GuardedNatsConsumer
  readonly #parked: ParkedPuller
  /** Of an ordered group, which has one consumer at a time. */
  readonly #turn: Turn | undefined
  #pullers: Puller[] = []
  readonly #arrivals: Arrivals
  #wake: (() => void) | undefined
  /** The sets of patterns of the group, as far as this process has heard. */
  #sets: readonly PatternSet[] = []
  /** When the streams were made that its consumers are of. */
  #streamCreated = ''
  #redeliveryCreated = ''
  #repairing: Promise<void> | undefined
  #closed = false
  /** Ends the pauses. */
  readonly #stop = new AbortController()
  /** Given back once nothing is asked for any more: else the server would hand them to this very consumer. */
  readonly #released: JsMsg[] = []

  constructor(request: GroupRequest, host: GroupHost) {
    this.name = request.name
    this.#request = request
    this.#host = host
    const id = randomUUID()
    const { lease, onError } = host
    this.#claims = new Claims(request, id, {
      ...host,
      term: () => this.#turn?.term ?? 0,
      onPassedOn: async (type) => {
        this.#parked.passedOn()
        return this.#turn !== undefined && (await this.#turn.left(type))
      },
    })
    this.#records = new ClaimRecords(request.name, host)
    this.#parked = new ParkedPuller(
      () =>
        host.openParked(
          (message) => this.#arrivals.add(message),
          (error) => void this.#pullEnded(error),
        ),
      () => this.#wake?.(),
      onError,
    )
    this.#arrivals = new Arrivals({
      ackWaitMs: request.ackWaitMs,
      look: (message) => this.#claims.look(message),
      onClaim: (claim) => {
        this.#claims.add(claim)
        host.guard.add(this.#guarded, claim.reply)
        this.#wake?.()
      },
      onFailed: (message, error) => {
        onError(error)
        this.interrupt()
        if (this.#turn === undefined) message.nak(FAILED_PAUSE_MS)
      },
      extend: (claims) => this.extend(claims),
    })
    this.#guarded = { id, lapseMs: request.ackWaitMs }
    if (lease === undefined) return
    const { addresses, owner } = lease
    const lapseMs = Math.min(request.ackWaitMs, LEASE_MS)
    this.#guarded = { id, lapseMs, lease: { addresses, owner } }
    this.#turn = new Turn(request, lease, {
      ...host,
      isOpen: () => this.#pullers.length > 0,
      claimed: () => this.#claims.size,
      open: () => this.#openPullers(),
      interrupt: () => this.interrupt(),
      giveBack: () => this.#giveBack(),
    })
  }

  /**
   * Starts taking part.
   *
   * @param joined where the group is known to be
   */
  async start({
    sets,
    settledUntil,
    streamCreated,
    redeliveryCreated,
  }: JoinedGroup): Promise<void> {
    this.#streamCreated = streamCreated
    this.#redeliveryCreated = redeliveryCreated
    this.#claims.startAfter(settledUntil)
    this.changed(sets)
    if (this.#turn === undefined) await this.#openPullers()
    else await this.#turn.contend()
  }

  /** Hears of the sets of patterns that the group has on the server, in any order. */
  changed(sets: readonly PatternSet[]): void {
    const before = this.#sets
    this.#sets = mergedSets(before, sets)
    if (before.length > 0 && commonPattern(before) !== commonPattern(this.#sets)) {
      for (const puller of this.#pullers) puller.hurry()
    }
    const hasOthers = setsInUse(this.#sets, this.#host.clock.now()).length > 1
    const own = this.#sets.find(({ patterns }) => keyOf(patterns) === keyOf(this.#request.patterns))
    const takesPart = this.#streamCreated !== '' && !this.#closed
    // Another process with the same patterns has closed.
    if (takesPart && own !== undefined && hasLeft(own)) this.confirm().catch(this.#host.onError)
    if (this.#turn !== undefined) this.#turn.hasOthers = hasOthers
    else if (hasOthers) this.#parked.open()
  }

  /** The ordered group's one consumer has left. */
  turnFree({ to }: TurnFree): void {
    if (to.length === 0 || to.includes(keyOf(this.#request.patterns))) this.#turn?.free()
  }

  /** The connection came back. */
  renew(): void {
    this.#claims.distrust()
    void this.#turn?.contend()
    for (const puller of this.#pullers) puller.renew()
    this.#parked.renew()
    this.#wake?.()
    // Another process may have joined meanwhile.
    const heard = async () => this.changed((await this.#host.readGroup())?.sets ?? [])
    heard().catch(this.#host.onError)
  }

  /**
   * Makes what the server has forgotten, from where the group is known to be, and goes on.
   */
  repair(): Promise<void> {
    this.#repairing ??= this.#repair().finally(() => {
      this.#repairing = undefined
    })
    return this.#repairing
  }

  /**
   * The connection went away, and perhaps messages with it. An ordered group must not see what comes after
   * them first: it takes nothing more until it has opened again, where its settled events end.
   */
  interrupt(): void {
    if (this.#turn === undefined) return
    this.#arrivals.forget()
    this.#closePullers()
  }

  async fetch(limit: number, signal: AbortSignal): Promise<Claim[]> {
    while (!signal.aborted && !this.#closed) {
      if (this.#arrivals.count > 0) {
        // Messages of one packet become claims one after the other: they are handed on together.
        if (this.#arrivals.count < limit) await new Promise(setImmediate)
        this.#host.guard.flush()
        return this.#arrivals.take(limit)
      }
      for (const puller of this.#pullers) puller.want(limit)
      this.#parked.want(limit)
      await this.#changed(signal)
    }
    return []
  }

  async settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]> {
    const own = claim as NatsClaim
    if (own.isGivenBack) throw claimLost(this.name, own.event)
    if (this.#claims.wasSilent(own)) await this.#assertOwned(own)
    const emitted = await this.#host.emit(emittedBy(settlement))
    try {
      await this.#store(own, settlement)
    } catch (error) {
      if (!isFull(error)) throw error
      this.#leaveUnstored(own, settlement, error)
    }
    const { message } = own
    if (settlement.kind === 'retry' && settlement.inPlace) {
      message.working()
      claim.attempt += 1
      own.isBegun = false
      // The record says that no other process has it.
      own.term = this.#turn?.term ?? 0
    } else {
      this.#forget(own)
      if (settlement.kind === 'release') this.#released.push(message)
      else if (settlement.kind !== 'retry') message.ack()
      else message.nak(Math.min(Math.max(1, settlement.delayMs), MAX_DELAY_MS))
    }
    this.#turn?.settled()
    this.#host.onSettled()
    return emitted
  }

  async begin(claims: readonly Claim[]): Promise<readonly Claim[]> {
    const begun = await Promise.all(
      (claims as readonly NatsClaim[]).map(async (claim) => {
        if (!(await this.#mayBegin(claim))) return undefined
        const record = toBegun(claim, this.#host.clock.now())
        if (await this.#records.store(claim, record, true)) {
          if (!(await this.#mayBegin(claim))) return undefined
          claim.isBegun = true
          return claim
        }
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
    this.#stop.abort()
    this.#turn?.close()
    this.#arrivals.close()
    this.#closePullers()
    await this.#parked.close()
    await this.#arrivals.settled()
    await this.#claims.passedOn()
    await this.#giveBack()
    this.#giveUp()
    this.#wake?.()
    await this.#host.releaseLease()
    await this.#host.leave().catch(this.#host.onError)
    this.#host.onClose()
  }

  /** Says that the patterns are still in use. */
  async confirm(): Promise<void> {
    await this.#host.confirm(this.#position)
  }

  get #position(): GroupPosition {
    const { settledUntil } = this.#claims
    return { settledUntil, streamCreated: this.#streamCreated, sets: this.#sets }
  }

  async #repair(): Promise<void> {
    this.#claims.distrust()
    const joined = await this.#host.restore(this.#position)
    const { forgotten, streamCreated, redeliveryCreated } = joined
    const isOther =
      streamCreated !== this.#streamCreated || redeliveryCreated !== this.#redeliveryCreated
    this.#redeliveryCreated = redeliveryCreated
    this.changed(joined.sets)
    // The stream of events was made again, and counts from the beginning.
    if (streamCreated !== this.#streamCreated) {
      this.#streamCreated = streamCreated
      this.#arrivals.forget()
      for (const claim of this.#claims.reset()) this.#host.guard.remove(this.#guarded, claim.reply)
      this.#arrivals.take()
    }
    // Another process may have made the consumers again.
    if ((!forgotten && !isOther) || this.#closed) return
    this.#closePullers()
    this.#parked.forget()
    this.changed(joined.sets)
    if (this.#turn === undefined) await this.#openPullers()
    else void this.#turn.lost()
  }

  #closePullers(): void {
    for (const puller of this.#pullers) puller.close()
    this.#pullers = []
  }

  /** In an ordered group a process that was frozen may have a successor, which begins with what comes first. */
  async #mayBegin(claim: NatsClaim): Promise<boolean> {
    if (this.#turn !== undefined && !(await this.#turn.holds(claim.term))) claim.isGivenBack = true
    if (claim.isGivenBack) this.#forget(claim)
    return !claim.isGivenBack
  }

  #forget(claim: NatsClaim): void {
    this.#claims.remove(claim)
    this.#host.guard.remove(this.#guarded, claim.reply)
  }

  /**
   * Writes the record of a settlement. The record is what counts: a message that comes again is compared with it.
   *
   * @throws EventBusError `CLAIM_LOST`
   */
  async #store(claim: NatsClaim, settlement: Settlement): Promise<void> {
    const { state, states, clock } = this.#host
    const record = toDelivery(claim, settlement, clock.now())
    const dead = state.names.dead(this.name, claim.sequence)
    const isDead = settlement.kind === 'dead-letter'
    const wasErased = claim.isErased
    const changes = changesOf(settlement)
    if (changes.length > 0) await states.announce(this.name, claim, changes)
    if (isDead) await state.write(dead, toLetter(record))
    const mayBeLost = settlement.kind === 'ack' || settlement.kind === 'release'
    const isOptional = mayBeLost && changes.length === 0
    if (!(await this.#records.store(claim, record, isOptional))) {
      this.#forget(claim)
      if (isDead) await state.remove(dead)
      throw claimLost(this.name, claim.event)
    }
    this.#claims.noteStored(claim)
    const { changed } = record
    if (changed !== undefined) await states.finish(this.name, changed)
    if (isDead && claim.isErased && !wasErased) {
      await state.write(dead, toLetter(withoutContent(record)))
    }
  }

  /**
   * A full server takes no record of a failure. The handlers behind it must go on, or nothing is ever freed: this process
   * counts the attempt itself, and a dead letter is tried again when the event comes again.
   */
  #leaveUnstored(claim: NatsClaim, settlement: Settlement, cause: unknown): void {
    this.#claims.noteUnstored(claim)
    if (settlement.kind === 'retry') {
      this.#host.onError(cause)
      return
    }
    this.#forget(claim)
    claim.message.nak(FULL_PAUSE_MS)
    throw new EventBusError(
      'CLAIM_LOST',
      `event ${claim.event.id} of group ${this.name}: the server is full and takes no dead letter; the event is given back, and its dead letter is stored once there is room`,
      { details: { group: this.name, id: claim.event.id, source: claim.event.source }, cause },
    )
  }

  async #assertOwned(claim: NatsClaim): Promise<void> {
    try {
      await this.#records.assertOwned(claim)
    } catch (error) {
      if (error instanceof EventBusError && error.code === 'CLAIM_LOST') this.#forget(claim)
      throw error
    }
  }

  async #openPullers(): Promise<void> {
    this.#claims.distrust()
    this.#turn?.opened()
    this.#pullers = await this.#host.openPullers(
      (message) => this.#arrivals.add(message),
      (error) => void this.#pullEnded(error),
    )
    if (this.#closed) this.#closePullers()
    this.#wake?.()
  }

  /** What waits for events asks again, at once or, after an error, in a while. */
  async #pullEnded(error: unknown): Promise<void> {
    await this.#arrivals.settled()
    await this.#claims.passedOn()
    if (error !== undefined) {
      this.#host.onError(error)
      await pause(ERROR_PAUSE_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
      // The consumer may be gone.
      if (!this.#closed) await this.repair().catch(this.#host.onError)
    }
    this.#wake?.()
  }

  async #giveBack(): Promise<void> {
    for (const claim of this.#arrivals.take()) {
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
    if (this.#arrivals.count > 0 || signal.aborted || this.#closed) return
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
