import type { Claim } from '../store/event-store.js'
import type { LogRecord } from './log-engine.js'
import { toStoredEvent } from './log-record.js'

/** One event a group has to do with, from the log or from `due`. */
export interface Work {
  record: LogRecord
  attempt: number
  replay: number
  /** Its entry in `due`, when it came from there. */
  dueAtMs?: number
  settled: boolean
  /** The claim that has it now. */
  claim?: LogClaim
  /** Its handler was started: the attempt counts, whatever happens to the process. */
  begun: boolean
  /** Waits for its next attempt in the consumer's hands. */
  retryingInPlace: boolean
}

/** A claim that knows where it came from. */
export class LogClaim implements Claim {
  readonly event
  readonly sequence
  readonly publishedAt
  attempt
  readonly replay

  constructor(readonly work: Work) {
    const stored = toStoredEvent(work.record)
    this.event = stored.event
    this.sequence = stored.sequence
    this.publishedAt = stored.publishedAt
    this.attempt = work.attempt
    this.replay = work.replay
  }
}
