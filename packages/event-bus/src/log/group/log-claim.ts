import type { Claim } from '../../store/event-store.js'
import type { LogRecord } from '../log-engine.js'
import { toStoredEvent } from '../query/to-stored-event.js'

/** One event on its way through a group, from the log or from `due`, until it is settled. */
export interface LogDelivery {
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
}

/** A delivery whose handler was not started yet. */
export function newDelivery(record: LogRecord, attempt: number, replay: number): LogDelivery {
  return { record, attempt, replay, settled: false, begun: false }
}

/** A claim that knows which delivery it is for. */
export class LogClaim implements Claim {
  readonly event
  readonly eventJson
  readonly sequence
  readonly publishedAt
  attempt
  readonly replay

  constructor(readonly delivery: LogDelivery) {
    const stored = toStoredEvent(delivery.record)
    this.event = stored.event
    this.eventJson = delivery.record.json
    this.sequence = stored.sequence
    this.publishedAt = stored.publishedAt
    this.attempt = delivery.attempt
    this.replay = delivery.replay
  }
}
