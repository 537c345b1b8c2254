import type { Metric } from '../kinds/metric.js'
import { type ExpositionFormat, formatHeader } from './format.js'
import { TimeSlice } from './time-slice.js'

/** Series between two looks at the time. */
const SERIES_PER_LOOK = 64
/** A chunk of text worth a write of its own. */
const CHUNK_CHARACTERS = 64 * 1024

/** Writes the metrics in chunks, giving way to the event loop between slices. */
export async function* scrape(
  metrics: readonly Metric[],
  format: ExpositionFormat,
): AsyncGenerator<string, void, void> {
  const slice = new TimeSlice()
  let text = ''
  let written = 0
  for (const metric of metrics) {
    let header = formatHeader(metric.name, metric.type, metric.help, format)
    for (const series of metric.table.live()) {
      if (header) text += header
      header = ''
      text += metric.write(series, format)
      if (++written % SERIES_PER_LOOK !== 0) continue
      if (text.length >= CHUNK_CHARACTERS) {
        yield text
        text = ''
      }
      if (slice.isOver()) await slice.next()
    }
  }
  if (format === 'openmetrics') text += '# EOF\n'
  if (text) yield text
}
