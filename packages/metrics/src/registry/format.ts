/** `text` is Prometheus text 0.0.4, `openmetrics` is OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics'

/** The media type to answer with, by format. */
export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** A number as both formats spell it. */
export function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}

/** A bound of a bucket or a quantile: OpenMetrics wants floats to look like floats. */
export function formatBound(value: number, format: ExpositionFormat): string {
  const text = formatNumber(value)
  return format === 'openmetrics' && Number.isInteger(value) && !text.includes('e')
    ? `${text}.0`
    : text
}

/** The inside of the braces: `method="GET",route="/"`. Empty values are left out, as they mean "absent". */
export function formatLabels(names: readonly string[], values: readonly string[]): string {
  const labels: string[] = []
  for (let i = 0; i < names.length; i++) {
    const value = values[i]
    if (value) labels.push(`${names[i]}="${escapeQuoted(value)}"`)
  }
  return labels.join(',')
}

/** The two comment lines above a metric's samples. */
export function formatHeader(
  name: string,
  type: string,
  help: string,
  format: ExpositionFormat,
): string {
  if (format === 'openmetrics') {
    const family = type === 'counter' ? name.slice(0, -'_total'.length) : name
    return `# TYPE ${family} ${type}\n# HELP ${family} ${escapeQuoted(help)}\n`
  }
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`
}

function escapeQuoted(text: string): string {
  if (!/[\\"\n]/.test(text)) return text
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
