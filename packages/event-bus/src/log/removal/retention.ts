import type { Clock } from '../../clock.js'
import type { RetentionOptions } from '../../retention/retention-options.js'
import type { CommitQueue } from '../commit/commit-queue.js'
import type { Transaction } from '../commit/transaction.js'
import type { LogDeliveryState, LogEngine, LogHead, LogRecord } from '../log-engine.js'
import { LAST_STRING } from '../query/value-index.js'
import { IndexRemoval } from './index-removal.js'

/** Events looked at by one commit: at most this many, and no further one once they have this many bytes. */
const CHUNK = 500
const CHUNK_BYTES = 4 * 1024 * 1024
/** The oldest event's age is looked at again no sooner than this. */
const SHORTEST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000

/** What retention needs of its log. */
export interface RetentionHost {
  engine: LogEngine
  queue: CommitQueue
  clock: Clock
  head(): LogHead
  /** Everything up to here is settled in every group. */
  settledUntil(): number
}

/**
 * Removes the oldest events that exceed the limits, together with their deliveries. What a
 * group has not finished with stays, and what it gave up on, whatever the limits say.
 */
export class Retention {
  readonly removed = { events: 0, bytes: 0 }
  readonly #host: RetentionHost
  readonly #options: RetentionOptions
  /** Sequences before it have to stay until one of them changes. They are kept in addition to the limits. */
  #from = 0
  #kept = { events: 0, bytes: 0 }
  #running: Promise<void> | undefined
  /** Something was stored or settled while events were removed. */
  #again = false
  #cancelTimer: (() => void) | undefined
  #closed = false

  constructor(host: RetentionHost, options: RetentionOptions) {
    this.#host = host
    this.#options = options
  }

  /** Deliveries of this event, or of later ones, were changed: it may be removable now. */
  changed(sequence: number): void {
    if (sequence >= this.#from) return
    this.#from = 0
    this.#kept = { events: 0, bytes: 0 }
  }

  /** Removes what is too much now; called after commits. */
  enforce(): void {
    if (this.#closed) return
    if (this.#running !== undefined) {
      this.#again = true
      return
    }
    if (!this.#exceeded(this.#host.head())) {
      this.#waitForAge()
      return
    }
    this.#running = this.#remove().finally(() => {
      this.#running = undefined
      const again = this.#again
      this.#again = false
      if (again) this.enforce()
      else this.#waitForAge()
    })
    this.#running.catch(() => {})
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer?.()
    await this.#running?.catch(() => {})
  }

  #exceeded(head: LogHead): boolean {
    if (head.events === 0) return false
    const { maxAgeMs, maxEvents, maxBytes } = this.#options
    const { events, bytes } = this.#kept
    if (maxEvents !== undefined && head.events - events > maxEvents) return this.#mayRemove(head)
    if (maxBytes !== undefined && head.bytes - bytes > maxBytes) return this.#mayRemove(head)
    return maxAgeMs !== undefined && this.#oldestExpiresAtMs(maxAgeMs) <= this.#host.clock.now()
  }

  /** Something is left to look at: what lies before it has to stay for now. */
  #mayRemove(head: LogHead): boolean {
    return Math.max(this.#from, head.first) <= this.#host.settledUntil()
  }

  #oldestExpiresAtMs(maxAgeMs: number): number {
    const start = Math.max(this.#from, this.#host.head().first)
    const [oldest] = this.#host.engine.range('events', {
      start,
      end: this.#host.settledUntil() + 1,
      limit: 1,
    })
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.value.publishedAtMs + maxAgeMs
  }

  async #remove(): Promise<void> {
    let more = true
    while (more && !this.#closed) {
      const chunk = await this.#host.queue.run((transaction) => this.#removeChunk(transaction))
      more = !chunk.isLast
      this.removed.events += chunk.events
      this.removed.bytes += chunk.bytes
    }
  }

  #removeChunk(transaction: Transaction): { events: number; bytes: number; isLast: boolean } {
    const { engine } = this.#host
    const chunk = { events: 0, bytes: 0, isLast: false }
    let lookedAt = 0
    let bytesLookedAt = 0
    const settledUntil = this.#host.settledUntil()
    const index = new IndexRemoval(engine)
    const { maxAgeMs = Number.POSITIVE_INFINITY } = this.#options
    const { maxEvents = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } =
      this.#options
    const { head } = transaction
    const start = Math.max(this.#from, head.first)
    // Only what is removed from the very beginning moves it.
    let fromTheFirst = start === head.first
    for (const { value: record } of engine.range('events', {
      start,
      end: settledUntil + 1,
      limit: CHUNK,
    })) {
      const kept = this.#kept
      const tooMany = head.events - kept.events > maxEvents || head.bytes - kept.bytes > maxBytes
      // An event of a clock that was ahead has no age yet; those behind it have.
      const tooOld = record.publishedAtMs + maxAgeMs <= transaction.now
      if (!tooMany && !tooOld && record.publishedAtMs <= transaction.now) break
      lookedAt += 1
      const bytes = Buffer.byteLength(record.json)
      bytesLookedAt += bytes
      this.#from = record.sequence + 1
      if ((tooMany || tooOld) && removeEvent(engine, transaction, record)) {
        chunk.events += 1
        chunk.bytes += bytes
        index.removed(record)
        if (fromTheFirst) head.first = record.sequence + 1
      } else {
        index.kept(record)
        kept.events += 1
        kept.bytes += bytes
        fromTheFirst = false
      }
      if (bytesLookedAt >= CHUNK_BYTES) break
    }
    chunk.isLast = lookedAt < CHUNK && bytesLookedAt < CHUNK_BYTES
    index.write(transaction)
    head.falls = head.falls.filter((at) => at > head.first)
    return chunk
  }

  /** One timer for the moment at which the oldest event becomes too old. */
  #waitForAge(): void {
    const { maxAgeMs } = this.#options
    if (maxAgeMs === undefined || this.#closed || this.#cancelTimer !== undefined) return
    const expiresAtMs = this.#oldestExpiresAtMs(maxAgeMs)
    if (expiresAtMs === Number.POSITIVE_INFINITY) return
    const waitMs = Math.max(SHORTEST_WAIT_MS, expiresAtMs - this.#host.clock.now())
    this.#cancelTimer = this.#host.clock.schedule(
      () => {
        this.#cancelTimer = undefined
        this.enforce()
      },
      // The wall clock may be set meanwhile.
      Math.min(waitMs, LONGEST_WAIT_MS),
    )
  }
}

/** Answers false, and removes nothing, while a group needs the event or has it as a dead letter. */
function removeEvent(engine: LogEngine, transaction: Transaction, record: LogRecord): boolean {
  const { sequence } = record
  const deliveries = [
    ...engine.range('deliveries', { start: [sequence, ''], end: [sequence, LAST_STRING] }),
  ]
  if (deliveries.some(({ key, value }) => isNeeded(engine, key, value))) return false
  for (const { key } of deliveries) transaction.remove('deliveries', key)
  transaction.remove('events', sequence)
  transaction.remove('ids', [record.id, record.source])
  transaction.count('type', record.type, -1)
  transaction.count('source', record.source, -1)
  transaction.head.events -= 1
  transaction.head.bytes -= Buffer.byteLength(record.json)
  return true
}

function isNeeded(
  engine: LogEngine,
  [sequence, group]: [sequence: number, group: string],
  { status }: LogDeliveryState,
): boolean {
  if (status === 'retrying' || status === 'pending') return true
  // A dead letter stays until it is redriven, replayed or purged.
  return status === 'dead-lettered' && engine.get('dead', [group, sequence]) !== undefined
}
