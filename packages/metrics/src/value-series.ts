import { type Exemplar, formatExemplar } from './exemplar.js'
import { type ExpositionFormat, formatNumber } from './format.js'
import { Series } from './series-table.js'

/** A series that is one number. */
export class ValueSeries extends Series {
  value = 0
  exemplar: Exemplar | undefined = undefined
  readonly #head: string
  #written = Number.NaN
  #line = ''

  constructor(name: string, labelValues: readonly string[], labelText: string) {
    super(labelValues, labelText)
    this.#head = labelText ? `${name}{${labelText}} ` : `${name} `
  }

  /** The sample's line. Most series of a big registry did not change since the last scrape, so it is kept. */
  write(format: ExpositionFormat): string {
    if (this.value !== this.#written) {
      this.#line = `${this.#head}${formatNumber(this.value)}\n`
      this.#written = this.value
    }
    if (format === 'text' || !this.exemplar) return this.#line
    return `${this.#line.slice(0, -1)}${formatExemplar(this.exemplar)}\n`
  }
}
