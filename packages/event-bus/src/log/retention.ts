import type { Clock } from '../clock.js'
import type { RetentionOptions } from '../retention/retention-options.js'
import type { CommitQueue } from './commit-queue.js'
import type { LogDraft } from './log-draft.js'
import type { LogEngine, LogHead, LogRecord } from './log-engine.js'
import { LAST_STRING } from './postings.js'

/** Events removed by one commit. */
const CHUNK = 500
/** The oldest event's age is looked at again no sooner than this. */
const SHORTEST_WAIT_MS = 1_000

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
 * Removes the oldest events beyond the limits, together with their deliveries and dead letters. What a
 * group has not finished with stays, whatever the limits say.
 */
export class Retention {
  readonly removed = { events: 0, bytes: 0 }
  readonly #host: RetentionHost
  readonly #options: RetentionOptions
  #running: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined
  #closed = false

  constructor(host: RetentionHost, options: RetentionOptions) {
    this.#host = host
    this.#options = options
  }

  /** Removes what is too much now; called after commits. */
  enforce(): void {
    if (this.#closed || this.#running !== undefined) return
    if (!this.#exceeded(this.#host.head())) {
      this.#waitForAge()
      return
    }
    this.#running = this.#remove().finally(() => {
      this.#running = undefined
      this.#waitForAge()
    })
    this.#running.catch(() => {})
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer?.()
    await this.#running?.catch(() => {})
  }

  #exceeded(head: LogHead): boolean {
    if (head.last < head.first) return false
    const { maxAgeMs, maxEvents, maxBytes } = this.#options
    if (maxEvents !== undefined && head.last - head.first + 1 > maxEvents) return true
    if (maxBytes !== undefined && head.bytes > maxBytes) return true
    return maxAgeMs !== undefined && this.#oldestExpiresAtMs(maxAgeMs) <= this.#host.clock.now()
  }

  #oldestExpiresAtMs(maxAgeMs: number): number {
    const oldest = this.#host.engine.get('events', this.#host.head().first)
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.publishedAtMs + maxAgeMs
  }

  async #remove(): Promise<void> {
    let removed = CHUNK
    while (removed === CHUNK && !this.#closed) {
      const chunk = await this.#host.queue.run((draft) => this.#removeChunk(draft))
      removed = chunk.events
      this.removed.events += chunk.events
      this.removed.bytes += chunk.bytes
    }
  }

  #removeChunk(draft: LogDraft): { events: number; bytes: number } {
    const { engine } = this.#host
    const removed = { events: 0, bytes: 0 }
    const settledUntil = this.#host.settledUntil()
    const touched = new Map<string, [attribute: string, value: string]>()
    const { maxAgeMs = Number.POSITIVE_INFINITY } = this.#options
    const { maxEvents = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } =
      this.#options
    for (const { value: record } of engine.range('events', {
      start: draft.head.first,
      end: settledUntil + 1,
      limit: CHUNK,
    })) {
      const { head } = draft
      const tooMany = head.last - head.first + 1 > maxEvents || head.bytes > maxBytes
      if (!tooMany && record.publishedAtMs + maxAgeMs > draft.now) break
      if (!removeEvent(engine, draft, record)) break
      removed.events += 1
      removed.bytes += record.json.length
      touched.set(`type\n${record.type}`, ['type', record.type])
      touched.set(`source\n${record.source}`, ['source', record.source])
    }
    for (const [attribute, value] of touched.values()) {
      removePostings(engine, draft, attribute, value)
    }
    return removed
  }

  /** One timer for the moment at which the oldest event becomes too old. */
  #waitForAge(): void {
    const { maxAgeMs } = this.#options
    if (maxAgeMs === undefined || this.#closed || this.#cancelTimer !== undefined) return
    const expiresAtMs = this.#oldestExpiresAtMs(maxAgeMs)
    if (expiresAtMs === Number.POSITIVE_INFINITY) return
    const waitMs = Math.max(SHORTEST_WAIT_MS, expiresAtMs - this.#host.clock.now())
    this.#cancelTimer = this.#host.clock.schedule(() => {
      this.#cancelTimer = undefined
      this.enforce()
    }, waitMs)
  }
}

/** False when some group still has to do with the event. */
function removeEvent(engine: LogEngine, draft: LogDraft, record: LogRecord): boolean {
  const { sequence } = record
  const deliveries = [
    ...engine.range('deliveries', { start: [sequence, ''], end: [sequence, LAST_STRING] }),
  ]
  const unfinished = deliveries.some(
    ({ value }) => value.status === 'retrying' || value.status === 'pending',
  )
  if (unfinished) return false
  for (const { key } of deliveries) {
    draft.remove('deliveries', key)
    draft.remove('dead', [key[1], sequence])
  }
  draft.remove('events', sequence)
  draft.remove('ids', record.id)
  draft.count('type', record.type, -1)
  draft.count('source', record.source, -1)
  draft.head.first = sequence + 1
  draft.head.bytes -= record.json.length
  return true
}

function removePostings(
  engine: LogEngine,
  draft: LogDraft,
  attribute: string,
  value: string,
): void {
  for (const { key, value: sequences } of engine.range('postings', {
    start: [attribute, value, -1],
    end: [attribute, value, draft.head.first],
  })) {
    if (sequences.at(-1)! < draft.head.first) draft.remove('postings', key)
  }
}
