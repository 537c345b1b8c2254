import type { JsMsg } from '@nats-io/jetstream'
import type { Claim } from '@nexus/event-bus'
import type { EventRef } from '../../streams/state.js'

/** A claim with the message that stands for it. */
export interface NatsClaim extends Claim, EventRef {
  message: JsMsg
  /** Where the server hears that the claim is still worked on. */
  reply: string
  /** It came by the redelivery stream, not by the stream of events. */
  redelivery: boolean
  /** The event was erased: what its handler says is not stored. */
  isErased: boolean
  /** The handler of its attempt was started. */
  isBegun: boolean
  /** Sequence of the record that the claim is based on: a newer one means that the claim was lost. */
  revision: number
  /** Tells what this claim wrote from what another process wrote. */
  owner: string
  /** When the server last heard of it, by the monotonic clock. */
  extendedAtMs: number
  /** The term of the ordered group's one consumer in which it came; 0 without order. */
  term: number
  /** Its consumer was closed, and another process has it or will. */
  isGivenBack: boolean
  /** The server heard nothing of it within `ackWaitMs`: another process may have the event. */
  wasSilent: boolean
}
