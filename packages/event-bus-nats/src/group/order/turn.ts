import type { GroupRequest } from '@nexus/event-bus'
import type { GroupHost } from '../group-host.js'
import { keyOf, matchesAny } from '../pattern-sets.js'
import { LEASE_MS, type Lease } from './lease.js'

/** What the turn of an ordered group's consumer changes. */
export interface TurnHost
  extends Pick<GroupHost, 'readGroup' | 'waitForLease' | 'isLeaseWanted' | 'guard' | 'onError'> {
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
  #contending = false
  #contendFromMs = 0
  /** The lease is given to another process by then, or when all claims are settled. */
  #leaveByMs: number | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(request: GroupRequest, lease: Lease, host: TurnHost) {
    this.#request = request
    this.#lease = lease
    this.#host = host
  }

  /** An event was left to processes with other patterns. */
  left(type: string): void {
    this.#leftTypes.add(type)
  }

  /** Begins to ask for events: what was left before comes again. */
  opened(): void {
    this.#leftTypes.clear()
  }

  /** Looks for the lease now, and regularly from then on. */
  async contend(): Promise<void> {
    if (this.#closed || this.#contending) return
    this.#contending = true
    this.#host.guard.beat()
    try {
      if (performance.now() >= this.#contendFromMs) {
        await this.#take()
        if (!this.#lease.held && this.hasOthers) await this.#host.waitForLease()
      }
    } catch (error) {
      this.#host.onError(error)
    }
    this.#contending = false
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
    if (!has) this.#leaveByMs = undefined
    else if (this.#leaveByMs !== undefined) await this.#leave(this.#leaveByMs)
    else if (!had) await open()
    else if (await this.#shouldLeave()) {
      // What is claimed is settled first: the next owner begins where that ends.
      this.#leaveByMs = performance.now() + this.#request.ackWaitMs
      interrupt()
      await giveBack()
      await this.#leave(this.#leaveByMs)
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

  async #leave(byMs: number): Promise<void> {
    if (this.#host.claimed() > 0 && performance.now() < byMs) return
    this.#leaveByMs = undefined
    await this.#lease.release()
    this.#contendFromMs = performance.now() + LEASE_MS
  }
}
