import type { GroupRequest } from '@nexus/event-bus'
import type { GroupHost } from '../group-host.js'
import { keyOf, matchesAny, type PatternSet } from '../pattern-sets.js'
import { LEASE_MS, type Lease } from './lease.js'

/** What the turn of an ordered group's consumer changes. */
export interface TurnHost
  extends Pick<
    GroupHost,
    'readGroup' | 'waitForLease' | 'waitingForLease' | 'releaseLease' | 'guard' | 'onError'
  > {
  /** Whether events are asked for. */
  isOpen(): boolean
  /** Claims that are not settled. */
  claimed(): number
  /** Asks for events, from where the former owner's settled events end. */
  open(): Promise<void>
  /** Asks for nothing more. */
  interrupt(): void
  /** Gives back what is claimed and waits here. */
  giveBack(): Promise<void>
}

/** Waits until its process may be the one consumer of an ordered group, and steps back when the lease is lost. */
export class Turn {
  /** Processes with other patterns take part, or did not long ago. */
  hasOthers = false
  readonly #request: GroupRequest
  readonly #lease: Lease
  readonly #host: TurnHost
  /** Types that only other processes ask for, met since it was opened. */
  readonly #leftTypes = new Set<string>()
  #contending: Promise<void> | undefined
  #contendFromMs = 0
  /** The sets whose processes get the lease when all claims are settled: the next owner begins where that ends. */
  #leavesTo: readonly PatternSet[] | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(request: GroupRequest, lease: Lease, host: TurnHost) {
    this.#request = request
    this.#lease = lease
    this.#host = host
  }

  /**
   * An event was left to processes with other patterns. Where one of them runs, it goes on with that event; answers
   * whether that is so.
   */
  async left(type: string): Promise<boolean> {
    this.#leftTypes.add(type)
    if (this.#leavesTo === undefined) await this.#leaveWhereWaitedFor()
    return this.#leavesTo !== undefined
  }

  /** A claim was settled. */
  settled(): void {
    if (this.#leavesTo !== undefined && this.#host.claimed() === 0) void this.#contendAgain()
  }

  /** The former owner has left. */
  free(): void {
    this.#contendFromMs = 0
    void this.#contendAgain()
  }

  /** Begins to ask for events: what was left before comes again. */
  opened(): void {
    this.#leftTypes.clear()
  }

  /** Names the time since this process became the one consumer; a claim of an earlier term is another process's by now. */
  get term(): number {
    return this.#lease.term
  }

  /** Whether this process is the one consumer, in that term; asks again where the lease may have lapsed. */
  async holds(term: number): Promise<boolean> {
    if (!this.#lease.held) await this.contend()
    return this.#lease.held && this.#lease.term === term
  }

  /** Looks for the lease now, and regularly from then on. */
  contend(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#contending ??= this.#contend().finally(() => {
      this.#contending = undefined
    })
    return this.#contending
  }

  /** The server has lost the lease with all that it had: the process that asks first gets it. */
  async lost(): Promise<void> {
    this.#lease.distrust()
    await this.#contending
    // What was under way may have been written before that.
    this.#lease.distrust()
    await this.contend()
  }

  /** Looks after now: what goes on already may have looked before. */
  async #contendAgain(): Promise<void> {
    await this.#contending
    await this.contend()
  }

  async #contend(): Promise<void> {
    this.#host.guard.beat()
    try {
      if (performance.now() >= this.#contendFromMs) await this.#take()
      if (!this.#lease.held && this.hasOthers) await this.#host.waitForLease()
    } catch (error) {
      this.#host.onError(error)
    }
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.contend(), LEASE_MS / 4)
  }

  /** Contends no more; the lease is released by its own call, when all claims are given back. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #take(): Promise<void> {
    const { isOpen, open, interrupt, giveBack } = this.#host
    const had = isOpen()
    const has = await this.#lease.take()
    if (!has && had) {
      interrupt()
      await giveBack()
    }
    if (!has) this.#leavesTo = undefined
    else if (this.#leavesTo !== undefined) await this.#leave(this.#leavesTo)
    else if (!had) await open()
    else await this.#leaveWhereWaitedFor()
  }

  /** Asks for nothing more where this process has left events behind that another one waits for. */
  async #leaveWhereWaitedFor(): Promise<void> {
    const waiting = await this.#setsWaiting()
    if (waiting.length === 0 || this.#leavesTo !== undefined) return
    this.#leavesTo = waiting
    this.#host.interrupt()
    await this.#host.giveBack()
    this.settled()
  }

  async #setsWaiting(): Promise<PatternSet[]> {
    if (this.#leftTypes.size === 0) return []
    const own = keyOf(this.#request.patterns)
    const group = await this.#host.readGroup()
    const others = (group?.sets ?? []).filter(
      ({ patterns }) =>
        keyOf(patterns) !== own && [...this.#leftTypes].some((type) => matchesAny(patterns, type)),
    )
    return this.#host.waitingForLease(others)
  }

  async #leave(to: readonly PatternSet[]): Promise<void> {
    if (this.#host.claimed() > 0) return
    this.#leavesTo = undefined
    this.#contendFromMs = performance.now() + LEASE_MS
    // The next owner may leave something to this process.
    await this.#host.waitForLease()
    await this.#host.releaseLease(to)
  }
}
