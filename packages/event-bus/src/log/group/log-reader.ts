import type { LogEngine, LogRecord } from '../log-engine.js'
import { knownValues, sequencesOf } from '../query/value-index.js'

/** New events that a group keeps in memory; where more come, it reads them from the log again. */
const MAX_READY = 2048
/** Events read from the log at once while a group catches up. */
const CATCH_UP_CHUNK = 256
/** Bytes of events that are kept in memory or read at once, about; one event may have more. */
const MAX_READY_BYTES = 8 * 1024 * 1024
/** With more types than this the log itself is read, not the index of types. */
const MAX_TYPES = 1_000
/** Events looked at before others get their turn, when hardly any of them matches. */
const MAX_LOOKED_AT = 4_096

/** What a reader needs of its group. */
export interface LogReaderHost {
  engine: LogEngine
  /** The newest event. */
  last(): number
  matches(type: string): boolean
  /** Called when the reader stopped to let others have their turn. */
  onMore(): void
}

/** Reads the events that match a group, in order: from memory while the group keeps up, from the log otherwise. */
export class LogReader {
  readonly #host: LogReaderHost
  #read: number
  /** Nothing between `#read` and the end of the log matches, except what is in `#ready`. */
  #live = false
  #ready: LogRecord[] = []
  #readyAt = 0
  /** Bytes of what is to be handed out of it. */
  #readyBytes = 0
  #paused = false

  constructor(host: LogReaderHost, after: number) {
    this.#host = host
    this.#read = after
  }

  /** Everything that matches was handed out. */
  get caughtUp(): boolean {
    return this.#live && this.#readyAt === this.#ready.length
  }

  /** Takes note of a new event that matches. */
  offer(record: LogRecord): void {
    if (!this.#live) return
    if (this.#ready.length - this.#readyAt >= MAX_READY || this.#isFull) {
      this.#live = false
      return
    }
    this.#add(record)
    this.#read = record.sequence
  }

  next(): LogRecord | undefined {
    if (this.#paused) return undefined
    for (let lookedAt = 0; ; lookedAt++) {
      if (this.#readyAt === this.#ready.length && !this.#refill()) return undefined
      if (lookedAt >= MAX_LOOKED_AT) return this.#pause()
      const record = this.#takeReady()
      // The patterns may be others than when it was read.
      if (this.#host.matches(record.type)) return record
    }
  }

  #pause(): undefined {
    this.#paused = true
    setImmediate(() => {
      this.#paused = false
      this.#host.onMore()
    })
    return undefined
  }

  /** Reads on in the log; false when there is nothing more. */
  #refill(): boolean {
    this.#clear()
    if (this.#live) return false
    const { engine, last, matches } = this.#host
    const until = last()
    const types = knownValues(engine, 'type', '', MAX_TYPES)
    const wanted = types?.filter((type) => matches(type))
    if (types === undefined || wanted!.length === types.length) {
      const range = { start: this.#read + 1, end: until + 1, limit: CATCH_UP_CHUNK }
      for (const { value } of engine.range('events', range)) {
        this.#add(value)
        if (this.#isFull) break
      }
    } else {
      const unread = { from: this.#read + 1, to: until }
      for (const sequence of sequencesOf(engine, 'type', wanted!, unread, false)) {
        const record = engine.get('events', sequence)
        if (record !== undefined) this.#add(record)
        if (this.#ready.length === CATCH_UP_CHUNK || this.#isFull) break
      }
    }
    if (this.#ready.length < CATCH_UP_CHUNK && !this.#isFull) {
      this.#live = true
      this.#read = until
    } else this.#read = this.#ready.at(-1)!.sequence
    return this.#ready.length > 0
  }

  #takeReady(): LogRecord {
    const record = this.#ready[this.#readyAt++]!
    this.#readyBytes -= record.json.length
    if (this.#readyAt > 1_024 && this.#readyAt * 2 > this.#ready.length) {
      this.#ready.splice(0, this.#readyAt)
      this.#readyAt = 0
    }
    return record
  }

  get #isFull(): boolean {
    return this.#readyBytes >= MAX_READY_BYTES
  }

  #add(record: LogRecord): void {
    this.#ready.push(record)
    this.#readyBytes += record.json.length
  }

  #clear(): void {
    this.#ready = []
    this.#readyAt = 0
    this.#readyBytes = 0
  }
}
