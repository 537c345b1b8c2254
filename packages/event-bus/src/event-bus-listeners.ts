import type { CloudEvent } from './event/cloud-event.js'
import type { PublishResult } from './store/event-store.js'

/** What `bus.on` listens to; all of it concerns this process only. */
export interface EventBusListeners {
  /** An event was published, or was a duplicate. */
  published: (result: PublishResult, event: CloudEvent) => void
  /** A handler succeeded, and that is stored. */
  delivered: (delivery: {
    event: CloudEvent
    group: string
    attempt: number
    durationMs: number
  }) => void
  /** An attempt failed; without `nextDelayMs` it was the last one. */
  failed: (failure: {
    event: CloudEvent
    group: string
    attempt: number
    error: Error
    nextDelayMs?: number
  }) => void
  /** The last attempt failed: the event is a dead letter. */
  'dead-lettered': (letter: {
    event: CloudEvent
    group: string
    attempt: number
    error: Error
  }) => void
  /** The store came back without what it had; the bus is not ready until `repaired`. */
  emptied: (what: string) => void
  /** What the store had lost was made again; what was stored there is gone. */
  repaired: () => void
  /** The server can be reached, at the start or again. */
  connected: () => void
  /** The server cannot be reached; the store connects again by itself. */
  disconnected: (reason: string) => void
  /**
   * Something failed that no call of yours could report; the bus goes on trying. While the server is away, as `disconnected`
   * has said, what fails with `STORE_UNAVAILABLE` is not told.
   */
  error: (error: unknown) => void
}
