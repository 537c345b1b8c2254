import { type ExpositionFormat, formatNumber } from '../registry/format.js'
import { Series } from '../registry/series-table.js'
import { type Exemplar, formatExemplar } from './exemplar.js'

/** A series that is one number. */
export class ValueSeries extends Series {
  value = 0
  exemplar: Exemplar | undefined = undefined
  readonly #head: string

  constructor(name: string, labelValues: readonly string[], labelText: string) {
    super(labelValues, labelText)
    // Joined, because V8 keeps what `+` makes as a tree, which every scrape would have to flatten again.
    this.#head = labelText ? [name, '{', labelText, '} '].join('') : `${name} `
  }

  /** The sample's line. */
  write(format: ExpositionFormat): string {
    const sample = this.#head + formatNumber(this.value)
    return format === 'openmetrics' && this.exemplar
      ? `${sample}${formatExemplar(this.exemplar)}\n`
      : `${sample}\n`
  }
}
