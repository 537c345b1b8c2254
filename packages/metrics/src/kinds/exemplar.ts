import { MetricsError } from '../errors.js'
import { formatLabels, formatNumber } from '../registry/format.js'
import { describeValue } from './wrong-value.js'

/** Labels that lead from a figure to one case of it, such as `{ trace_id }`; OpenMetrics only. */
export type ExemplarLabels = Readonly<Record<string, string>>

/** One kept example of what was counted or observed. */
export interface Exemplar {
  labels: ExemplarLabels
  value: number
  timestampMs: number
}

/** OpenMetrics 1.0: names and values of an exemplar's labels together, in characters. */
const MAX_CHARACTERS = 128

/** @throws {@link MetricsError} `INVALID_EXEMPLAR` when OpenMetrics would not allow these labels */
export function createExemplar(
  labels: ExemplarLabels,
  value: number,
  timestampMs: number,
): Exemplar {
  if (typeof labels !== 'object') {
    throw new MetricsError(
      'INVALID_EXEMPLAR',
      `Expected labels of an exemplar, such as { trace_id }, got ${describeValue(labels)}.`,
      { labels },
    )
  }
  // A copy: what the caller does with its object later must not reach a scrape.
  const own = { ...labels }
  let length = 0
  for (const [name, text] of Object.entries(own)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
      throw new MetricsError('INVALID_EXEMPLAR', `"${name}" is no label name`, { labels })
    }
    if (typeof text !== 'string') {
      throw new MetricsError(
        'INVALID_EXEMPLAR',
        `Expected the label "${name}" of an exemplar to be a text, got ${describeValue(text)}.`,
        { labels },
      )
    }
    length += [...name].length + [...text].length
  }
  if (length > MAX_CHARACTERS) {
    throw new MetricsError(
      'INVALID_EXEMPLAR',
      `Labels of an exemplar may have ${MAX_CHARACTERS} characters together, got ${length}. Keep only the trace id.`,
      { labels },
    )
  }
  return { labels: own, value, timestampMs }
}

/** The later of two exemplars, either of which may be missing. */
export function newerExemplar(
  a: Exemplar | undefined,
  b: Exemplar | null | undefined,
): Exemplar | undefined {
  return b && (!a || b.timestampMs > a.timestampMs) ? b : a
}

/** What follows a sample's value: ` # {trace_id="…"} 0.67 1520879607.789`, or nothing. */
export function formatExemplar(exemplar: Exemplar | undefined): string {
  if (!exemplar) return ''
  const labels = formatLabels(Object.keys(exemplar.labels), Object.values(exemplar.labels))
  return ` # {${labels}} ${formatNumber(exemplar.value)} ${exemplar.timestampMs / 1000}`
}
