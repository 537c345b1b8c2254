import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { isWrongLastSequence } from '../../connection/publisher.js'
import { isFull } from '../../connection/unavailable.js'

/** Where a lease is stored: a subject of a stream that drops its messages after `LEASE_MS`. */
export interface LeaseAddress {
  stream: string
  subject: string
}

/** What became of an attempt to write the name of the owner. */
export type LeaseWrite = 'written' | 'taken' | 'full'

/** The name of a lease's owner on the server, written only where no other owner stands there. */
export class LeaseRecord {
  readonly #client: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #address: LeaseAddress
  readonly #owner: string
  #revision = 0

  constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    address: LeaseAddress,
    owner: string,
  ) {
    this.#client = client
    this.#manager = manager
    this.#address = address
    this.#owner = owner
  }

  /** Whether another owner stands there. */
  async isForeign(): Promise<boolean> {
    const owner = await this.#read()
    return owner !== undefined && owner !== this.#owner
  }

  /** Whether this owner stands there. */
  async isOwn(): Promise<boolean> {
    return (await this.#read()) === this.#owner
  }

  async write(): Promise<LeaseWrite> {
    const first = await this.#write()
    if (first !== 'taken') return first
    // A renewal whose answer was lost has moved the subject on all the same.
    if (await this.isOwn()) return this.#write()
    return 'taken'
  }

  /** Starts over as one who never had it. */
  forget(): void {
    this.#revision = 0
  }

  async remove(): Promise<void> {
    if (!(await this.isOwn())) return
    const { stream, subject } = this.#address
    await this.#manager.streams.purge(stream, { filter: subject })
  }

  async #write(): Promise<LeaseWrite> {
    try {
      const { seq } = await this.#client.publish(this.#address.subject, this.#owner, {
        expect: { lastSubjectSequence: this.#revision },
      })
      this.#revision = seq
      return 'written'
    } catch (error) {
      if (isFull(error)) return 'full'
      if (isWrongLastSequence(error)) return 'taken'
      throw error
    }
  }

  async #read(): Promise<string | undefined> {
    const { stream, subject } = this.#address
    const last = await this.#manager.direct.getMessage(stream, { last_by_subj: subject })
    if (last?.string() === this.#owner) this.#revision = last.seq
    return last?.string()
  }
}
