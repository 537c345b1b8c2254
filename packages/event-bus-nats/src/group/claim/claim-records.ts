import { claimLost } from '@nexus/event-bus'
import { isFull } from '../../connection/unavailable.js'
import { type DeliveryState, type State, withoutContent } from '../../streams/state.js'
import type { SettledBound } from '../settled-bound.js'
import type { NatsClaim } from './nats-claim.js'

/** What it takes to write the records of claims. */
export interface ClaimRecordsHost {
  state: State
  settledBound: SettledBound
  onError(error: unknown): void
}

/** Writes what a group does with its claims; the record says who has an event. */
export class ClaimRecords {
  readonly #group: string
  readonly #host: ClaimRecordsHost

  constructor(group: string, host: ClaimRecordsHost) {
    this.#group = group
    this.#host = host
  }

  /**
   * Writes a record of a claim; false when another process has claimed or settled the event.
   *
   * @param isOptional a full server may leave it out: what is handled must not keep it full
   */
  async store(claim: NatsClaim, record: DeliveryState, isOptional: boolean): Promise<boolean> {
    try {
      const [, stored] = await Promise.all([
        this.#host.settledBound.raise(claim.sequence),
        this.#write(claim, record),
      ])
      return stored
    } catch (error) {
      if (!isFull(error) || !isOptional) throw error
      this.#host.onError(error)
      return true
    }
  }

  /**
   * Looks, before anything is stored for a claim that was silent for too long, whether another process has it.
   *
   * @throws EventBusError `CLAIM_LOST`
   */
  async assertOwned(claim: NatsClaim): Promise<void> {
    const { state } = this.#host
    const subject = state.names.delivery(this.#group, claim.sequence)
    const newest = await state.revised<DeliveryState>(subject)
    const revision = newest?.revision ?? 0
    if (revision <= claim.revision || newest?.value.owner === claim.owner) return
    if (newest!.value.replays > claim.replay) return
    throw claimLost(this.#group, claim.event)
  }

  async #write(claim: NatsClaim, record: DeliveryState): Promise<boolean> {
    const { state } = this.#host
    const subject = state.names.delivery(this.#group, claim.sequence)
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
}
