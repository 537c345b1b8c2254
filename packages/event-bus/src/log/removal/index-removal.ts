import type { Transaction } from '../commit/transaction.js'
import type { LogEngine, LogRecord } from '../log-engine.js'

type Attribute = 'type' | 'source'

/** Takes removed events out of the indexes of types and sources. */
export class IndexRemoval {
  readonly #engine: LogEngine
  readonly #touched = new Map<string, [attribute: Attribute, value: string]>()
  readonly #kept = new Set<number>()
  #first: number | undefined
  #last = 0

  constructor(engine: LogEngine) {
    this.#engine = engine
  }

  /** The next event in order was removed. */
  removed({ sequence, type, source }: LogRecord): void {
    this.#look(sequence)
    this.#touched.set(`type\n${type}`, ['type', type])
    this.#touched.set(`source\n${source}`, ['source', source])
  }

  /** The next event in order stays. */
  kept({ sequence }: LogRecord): void {
    this.#look(sequence)
    this.#kept.add(sequence)
  }

  write(transaction: Transaction): void {
    if (this.#first === undefined) return
    for (const [attribute, value] of this.#touched.values()) {
      this.#writeOne(transaction, attribute, value, this.#first)
    }
  }

  #writeOne(transaction: Transaction, attribute: Attribute, value: string, first: number): void {
    // An entry that starts before the first one may reach into what was looked at.
    const [before] = this.#engine.range('valueIndex', {
      start: [attribute, value, first],
      end: [attribute, value, -1],
      reverse: true,
      limit: 1,
    })
    for (const { key, value: sequences } of this.#engine.range('valueIndex', {
      start: before?.key ?? [attribute, value, first],
      end: [attribute, value, this.#last + 0.5],
    })) {
      const left = sequences.filter((sequence) => this.#stays(sequence, first))
      if (left.length === 0) transaction.remove('valueIndex', key)
      else if (left.length < sequences.length) transaction.put('valueIndex', key, left)
    }
  }

  #stays(sequence: number, first: number): boolean {
    if (sequence > this.#last || this.#kept.has(sequence)) return true
    return sequence < first && this.#engine.get('events', sequence) !== undefined
  }

  #look(sequence: number): void {
    this.#first ??= sequence
    this.#last = sequence
  }
}
