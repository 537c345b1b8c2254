import { randomUUID } from 'node:crypto'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'

/** Server side age after which a lease is gone. */
export const LEASE_MS = 6_000

/** Holds a subject of the lease stream, whose messages the server drops when they are not renewed. */
export class Lease {
  readonly #client: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #stream: string
  readonly subject: string
  readonly owner: string
  #revision = 0
  #validUntilMs = 0

  constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    stream: string,
    subject: string,
    owner: string = randomUUID(),
  ) {
    this.owner = owner
    this.#client = client
    this.#manager = manager
    this.#stream = stream
    this.subject = subject
  }

  /** Whether nobody else can have it by now; measured from before the request, so never too long. */
  get held(): boolean {
    return performance.now() < this.#validUntilMs
  }

  /** Takes or renews the lease; false when somebody else has it. */
  async take(): Promise<boolean> {
    if (await this.#write()) return true
    if (await this.renew()) return true
    // Lost, or the server is away: start over as one who never had it.
    if (!this.held) this.#revision = 0
    return this.held
  }

  /** Prolongs the lease of its owner, whoever knew its revision. */
  async renew(): Promise<boolean> {
    return (await this.#findOwn()) && this.#write()
  }

  async release(): Promise<void> {
    if (!this.held) return
    this.#validUntilMs = 0
    await this.#manager.streams.purge(this.#stream, { filter: this.subject }).catch(() => {})
  }

  async #write(): Promise<boolean> {
    const askedMs = performance.now()
    try {
      const { seq } = await this.#client.publish(this.subject, this.owner, {
        expect: { lastSubjectSequence: this.#revision },
      })
      this.#revision = seq
      this.#validUntilMs = askedMs + LEASE_MS
      return true
    } catch {
      return false
    }
  }

  /** A renewal whose answer was lost has moved the subject on all the same. */
  async #findOwn(): Promise<boolean> {
    try {
      const last = await this.#manager.direct.getMessage(this.#stream, {
        last_by_subj: this.subject,
      })
      if (last?.string() !== this.owner) return false
      this.#revision = last.seq
      return true
    } catch {
      return false
    }
  }
}
