import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ExpositionFormat, formatHeader } from './format.js'
import type { Metric } from './metric.js'
import type { Clock } from './options.js'

/** How long the loop is kept at most before other work gets its turn. */
const SLICE_MS = 3
/** Series between two looks at the time. */
const SERIES_PER_LOOK = 64
/** A chunk of text worth a write of its own. */
const CHUNK_CHARACTERS = 64 * 1024

/** Writes the metrics in chunks, giving way to the event loop between slices. */
export async function* scrape(
  metrics: readonly Metric[],
  format: ExpositionFormat,
  clock: Clock,
): AsyncGenerator<string, void, void> {
  const nowMs = clock.now()
  let text = ''
  let written = 0
  let sliceEnd = performance.now() + SLICE_MS
  for (const metric of metrics) {
    let header = formatHeader(metric.name, metric.type, metric.help, format)
    for (const series of metric.table.values()) {
      if (!metric.table.keep(series, nowMs)) continue
      text += header + metric.write(series, format)
      header = ''
      if (++written % SERIES_PER_LOOK !== 0) continue
      if (text.length >= CHUNK_CHARACTERS) {
        yield text
        text = ''
      }
      if (performance.now() < sliceEnd) continue
      await nextTurn()
      sliceEnd = performance.now() + SLICE_MS
    }
  }
  if (format === 'openmetrics') text += '# EOF\n'
  if (text) yield text
}
