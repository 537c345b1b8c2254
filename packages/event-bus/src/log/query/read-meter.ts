/** Others get their turn after about this many bytes of events, or this many events. */
const TURN_BYTES = 1024 * 1024
const TURN_EVENTS = 500

/** Counts what a long read has read, so that others get their turn in between and a page ends early. */
export class ReadMeter {
  /** Events that were read. */
  events = 0
  /** UTF-8 bytes of what was read. */
  bytes = 0
  #eventsAtTurn = 0
  #bytesAtTurn = 0

  /** Counts one event, and the texts that were read with it; undefined for one that is gone. */
  add(...texts: readonly (string | undefined)[]): void {
    this.events += 1
    for (const text of texts) if (text !== undefined) this.bytes += Buffer.byteLength(text)
  }

  /** Whether enough was read for now: `turn` lets others go on. */
  get isTurnOver(): boolean {
    const { events, bytes } = this
    return events - this.#eventsAtTurn >= TURN_EVENTS || bytes - this.#bytesAtTurn >= TURN_BYTES
  }

  /** Resolves when others had their turn. */
  async turn(): Promise<void> {
    this.#eventsAtTurn = this.events
    this.#bytesAtTurn = this.bytes
    await new Promise((resolve) => setImmediate(resolve))
  }
}
