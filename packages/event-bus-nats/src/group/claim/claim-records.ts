import { claimLost } from '@nexus/event-bus'
import { isFull } from '../../connection/unavailable.js'
import type { Events } from '../../streams/events.js'
import { type DeliveryState, isAbout, type State, withoutContent } from '../../streams/state.js'
import type { SettledBound } from '../settled-bound.js'
import type { NatsClaim } from './nats-claim.js'

/** What it takes to write the records of claims. */
export interface ClaimRecordsHost {
  state: State
  settledBound: SettledBound
  events: Events
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
    const { value, revision } = await state.delivery(this.#group, claim)
    if (value === undefined || revision <= claim.revision || value.owner === claim.owner) return
    if (value.replays > claim.replay) return
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
      const newest = await state.delivery(this.#group, claim)
      // The record was lost with the whole stream; it must not be written for an event that was lost as well.
      if (newest.value === undefined && !(await this.#isStored(claim))) return false
      // A replay was asked for meanwhile: its record must stay.
      if (newest.value !== undefined && newest.value.replays > claim.replay)
        return record.status !== 'running'
      if (newest.value !== undefined && newest.value.owner !== claim.owner) return false
      // The event was erased while its handler ran.
      if (newest.value?.erased) claim.isErased = true
      // Else the answer to an earlier write was lost.
      claim.revision = newest.revision
    }
  }
  /** Whether the stream of events has the event, and not another one with its sequence. */
  async #isStored({ sequence, time }: NatsClaim): Promise<boolean> {
    const event = await this.#host.events.at(sequence)
    return event !== undefined && isAbout({ eventAtMs: time.getTime() }, event)
  }
}
