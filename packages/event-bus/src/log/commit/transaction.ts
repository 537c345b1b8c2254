import type { JsonValue } from '../../event/cloud-event.js'
import { eventKey } from '../../store/backend/event-identity.js'
import { type AppendRequest, deliveryTimeOf, type PublishResult } from '../../store/event-store.js'
import type {
  LogEngine,
  LogHead,
  LogRecord,
  TableKey,
  TableName,
  TableValue,
  Write,
} from '../log-engine.js'

/** What one commit is going to change, seen by the operations that share it. */
export class Transaction {
  readonly now: number
  readonly head: LogHead
  readonly records: LogRecord[] = []
  /** Run once the commit is visible. */
  readonly afterCommit: (() => void)[] = []
  /** Events that this commit makes due again, as `group sequence`: others in it cannot read that yet. */
  readonly redelivered = new Set<string>()
  /** Lowest sequence whose deliveries change. */
  lowestChanged = Number.POSITIVE_INFINITY
  readonly #engine: LogEngine
  readonly #writes: Write[] = []
  readonly #ids = new Map<string, number>()
  readonly #shared = new Map<string, number>()
  readonly #added = { type: new Map<string, number[]>(), source: new Map<string, number[]>() }
  readonly #counts = new Map<string, { key: [string, string]; value: number }>()
  readonly #finishers = new Map<unknown, () => void>()

  constructor(engine: LogEngine, head: LogHead, now: number) {
    this.#engine = engine
    this.head = { ...head, falls: [...head.falls] }
    this.now = now
  }

  get size(): number {
    return this.#writes.length
  }

  put<N extends TableName>(table: N, key: TableKey<N>, value: TableValue<N>): void {
    this.#writes.push({ table, key, value } as Write)
    if (table === 'deliveries') this.#changed((key as TableKey<'deliveries'>)[0])
  }

  remove<N extends TableName>(table: N, key: TableKey<N>): void {
    this.#writes.push({ table, key } as Write)
    if (table === 'dead') this.#changed((key as TableKey<'dead'>)[1])
    if (table === 'deliveries') this.#changed((key as TableKey<'deliveries'>)[0])
  }

  /** Adds one event unless one with its source and id is stored already. */
  append(request: AppendRequest, publishedAtMs: number = this.now): PublishResult {
    const { event, json, delayMs, hasFreshId } = request
    const known = hasFreshId === true ? undefined : this.#sequenceOf(event.source, event.id)
    if (known !== undefined) return { id: event.id, duplicate: true, sequence: known }
    const head = this.head
    head.last += 1
    head.events += 1
    head.bytes += Buffer.byteLength(json)
    const sequence = head.last
    if (publishedAtMs < head.publishedAtMs) noteFall(head, sequence)
    head.publishedAtMs = publishedAtMs
    const dueAtMs = deliveryTimeOf(request, this.now)
    const record: LogRecord = {
      sequence,
      publishedAtMs,
      ...(dueAtMs !== undefined && { deliverAtMs: dueAtMs }),
      ...(delayMs !== undefined && { delayMs }),
      id: event.id,
      type: event.type,
      source: event.source,
      json,
    }
    this.records.push(record)
    this.put('events', sequence, record)
    this.put('ids', [event.id, event.source], sequence)
    if (hasFreshId !== true) this.#ids.set(eventKey(event.source, event.id), sequence)
    this.#index('type', event.type, sequence)
    this.#index('source', event.source, sequence)
    return { id: event.id, duplicate: false, sequence }
  }

  /** Writes a shared value where it has this revision, 0 for none; answers whether it had. */
  share(key: string, value: JsonValue, revision: number): boolean {
    const known = this.#shared.get(key) ?? this.#engine.get('shared', key)?.revision ?? 0
    if (known !== revision) return false
    this.#shared.set(key, revision + 1)
    this.put('shared', key, { value, revision: revision + 1 })
    return true
  }

  /** Adds to how many events have this type or source. */
  count(attribute: string, value: string, change: number): void {
    const name = `${attribute}\n${value}`
    let count = this.#counts.get(name)
    if (count === undefined) {
      const key: [string, string] = [attribute, value]
      count = { key, value: this.#engine.get('counts', key) ?? 0 }
      this.#counts.set(name, count)
    }
    count.value += change
  }

  /** Runs `finish` once when the transaction is complete, however often `owner` asks. */
  onFinish(owner: unknown, finish: () => void): void {
    this.#finishers.set(owner, finish)
  }

  /** Everything to be written, as one atomic commit. */
  finish(): readonly Write[] {
    for (const finish of this.#finishers.values()) finish()
    for (const attribute of ['type', 'source'] as const) {
      for (const [value, sequences] of this.#added[attribute]) {
        this.put('valueIndex', [attribute, value, sequences[0]!], sequences)
        this.count(attribute, value, sequences.length)
      }
    }
    for (const { key, value } of this.#counts.values()) {
      if (value > 0) this.put('counts', key, value)
      else this.remove('counts', key)
    }
    if (this.#writes.length > 0) this.put('head', 'head', this.head)
    return this.#writes
  }

  #sequenceOf(source: string, id: string): number | undefined {
    return this.#ids.get(eventKey(source, id)) ?? this.#engine.get('ids', [id, source])
  }

  #changed(sequence: number): void {
    this.lowestChanged = Math.min(this.lowestChanged, sequence)
  }

  #index(attribute: 'type' | 'source', value: string, sequence: number): void {
    const sequences = this.#added[attribute].get(value)
    if (sequences === undefined) this.#added[attribute].set(value, [sequence])
    else sequences.push(sequence)
  }
}

/** More than this are no clock that is corrected now and then: searches by time get less exact, not slow. */
const MAX_FALLS = 1_000

function noteFall(head: LogHead, sequence: number): void {
  if (head.falls.length < MAX_FALLS) head.falls.push(sequence)
}
