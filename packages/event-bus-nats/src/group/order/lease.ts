import { randomUUID } from 'node:crypto'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { type LeaseAddress, LeaseRecord } from './lease-record.js'

/** Server side age after which a lease is gone. */
export const LEASE_MS = 6_000

/** Where the lease of an ordered group is stored. */
export interface LeaseAddresses {
  /** On disk: it survives a restart of the server. */
  file: LeaseAddress
  /** In memory, for as long as the server's disk is full: a group must be able to drain it. */
  memory: LeaseAddress
}

/** The right to be the one consumer of an ordered group, which the server drops when it is not renewed. */
export class Lease {
  readonly addresses: LeaseAddresses
  readonly owner: string
  readonly #file: LeaseRecord
  readonly #memory: LeaseRecord
  #validUntilMs = 0
  #term = 0
  /** The next success begins a term: another process may have had it since the last one. */
  #isLost = true

  constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    addresses: LeaseAddresses,
    owner: string = randomUUID(),
  ) {
    this.addresses = addresses
    this.owner = owner
    this.#file = new LeaseRecord(client, manager, addresses.file, owner)
    this.#memory = new LeaseRecord(client, manager, addresses.memory, owner)
  }

  /** Whether no other process can have it by now; measured from before the request, so never too long. */
  get held(): boolean {
    return performance.now() < this.#validUntilMs
  }

  /** Counts how often it was taken; renewals are of the same term. */
  get term(): number {
    return this.#term
  }

  /** Takes or renews the lease; false when another process has it. */
  async take(): Promise<boolean> {
    const askedMs = performance.now()
    // An error means that the server is away: the lease lasts as long as it would have.
    const isWritten = await this.#write().catch(() => false)
    if (isWritten) {
      this.#validUntilMs = askedMs + LEASE_MS
      if (this.#isLost) this.#term += 1
      this.#isLost = false
    } else if (!this.held) {
      this.distrust()
    }
    return this.held
  }

  /** Renews the lease of its owner, also from a thread that does not know its revision. */
  async renew(): Promise<boolean> {
    try {
      const isOwn = (await this.#file.isOwn()) || (await this.#memory.isOwn())
      return isOwn && (await this.#write())
    } catch {
      return false
    }
  }

  /** The server has lost it: another process may have it by now. */
  distrust(): void {
    this.#validUntilMs = 0
    this.#isLost = true
    this.#file.forget()
    this.#memory.forget()
  }

  /** Answers whether there was something to give back. */
  async release(): Promise<boolean> {
    if (!this.held) return false
    this.#validUntilMs = 0
    this.#isLost = true
    await Promise.all([this.#file, this.#memory].map((one) => one.remove().catch(() => {})))
    this.#file.forget()
    this.#memory.forget()
    return true
  }

  async #write(): Promise<boolean> {
    // Taken while the disk was full: it lasts until it lapses, or moves to the disk with its owner.
    if (await this.#memory.isForeign()) return false
    const written = await this.#file.write()
    if (written !== 'full') return written === 'written'
    if (await this.#file.isForeign()) return false
    return (await this.#memory.write()) === 'written'
  }
}
