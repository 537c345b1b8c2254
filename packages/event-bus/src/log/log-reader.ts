import type { LogEngine, LogRecord } from './log-engine.js'
import { knownValues, sequencesOf } from './postings.js'

/** Newly stored events a group keeps at hand; beyond, it reads them from the log again. */
const MAX_READY = 2048
/** Events read from the log at once while a group catches up. */
const CATCH_UP_CHUNK = 256
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
    if (this.#ready.length - this.#readyAt >= MAX_READY) {
      this.#live = false
      return
    }
    this.#ready.push(record)
    this.#read = record.sequence
  }

  next(): LogRecord | undefined {
    if (this.#paused) return undefined
    for (let lookedAt = 0; ; lookedAt++) {
      if (this.#readyAt === this.#ready.length && !this.#refill()) return undefined
      if (lookedAt >= MAX_LOOKED_AT) return this.#pause()
      const record = this.#ready[this.#readyAt++]!
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
    this.#ready = []
    this.#readyAt = 0
    if (this.#live) return false
    const { engine, last, matches } = this.#host
    const until = last()
    const types = knownValues(engine, 'type', '', MAX_TYPES)
    const wanted = types?.filter((type) => matches(type))
    if (types === undefined || wanted!.length === types.length) {
      const range = { start: this.#read + 1, end: until + 1, limit: CATCH_UP_CHUNK }
      for (const { value } of engine.range('events', range)) this.#ready.push(value)
    } else {
      for (const sequence of sequencesOf(engine, 'type', wanted!, this.#read + 1, until, false)) {
        const record = engine.get('events', sequence)
        if (record !== undefined) this.#ready.push(record)
        if (this.#ready.length === CATCH_UP_CHUNK) break
      }
    }
    if (this.#ready.length < CATCH_UP_CHUNK) {
      this.#live = true
      this.#read = until
    } else this.#read = this.#ready.at(-1)!.sequence
    return this.#ready.length > 0
  }
}
