import { InvalidMetricError } from '../errors.js'

/** What a metric is about. */
export const METRIC_CATEGORIES = [
  'Cpu',
  'Memory',
  'Network',
  'Disk',
  'Rendering',
  'Cache',
  'Database',
  'Interaction',
  'Custom',
] as const

/** What a metric is about. */
export type MetricCategory = (typeof METRIC_CATEGORIES)[number]

/** Data beside a metric: at most 16 short texts, numbers and booleans. */
export type MetricMetadata = Readonly<Record<string, string | number | boolean>>

/** A metric to record. */
export interface MetricInput {
  /** Up to 200 characters, and not that of a metric that is kept. @default a new one, such as `metric-7` */
  id?: string | undefined
  /** Such as `db.query`; up to 200 characters. */
  name: string
  /** What it is about. @default 'Custom' */
  category?: MetricCategory | undefined
  /** A finite number. */
  value: number
  /** Such as `ms` or `bytes`; up to 20 characters. */
  unit: string
  /** Milliseconds since the epoch. @default now */
  timestamp?: number | undefined
  /** Data beside it. @default {} */
  metadata?: MetricMetadata | undefined
}

/** A recorded metric. */
export interface PerformanceMetric {
  /** Unique among the metrics that are kept. */
  readonly id: string
  /** Such as `db.query`. */
  readonly name: string
  /** What it is about. */
  readonly category: MetricCategory
  /** The measured number. */
  readonly value: number
  /** Such as `ms` or `bytes`. */
  readonly unit: string
  /** When it was measured, in milliseconds since the epoch. */
  readonly timestamp: number
  /** Data beside it. */
  readonly metadata: MetricMetadata
}

const FIELDS: ReadonlySet<string> = new Set([
  ...['id', 'name', 'category', 'value', 'unit', 'timestamp', 'metadata'],
])
const MAX_NAME = 200
const MAX_UNIT = 20
const MAX_METADATA_KEYS = 16
const MAX_METADATA_TEXT = 1_000

/**
 * Checks a metric, which may come from anywhere, such as the body of a request.
 *
 * @param newId the id of a metric that brings none
 * @throws {@link InvalidMetricError}
 */
export function createMetric(input: unknown, newId: string, nowMs: number): PerformanceMetric {
  if (typeof input !== 'object' || input === null) {
    throw new InvalidMetricError(`Expected a metric to be an object, got ${describe(input)}.`)
  }
  for (const field of Object.keys(input)) {
    if (FIELDS.has(field)) continue
    throw new InvalidMetricError(
      `A metric has no field ${describe(field)}; expected ${[...FIELDS].join(', ')}. Put data of your own into metadata.`,
      { field },
    )
  }
  const {
    id = newId,
    name,
    category = 'Custom',
    value,
    unit,
    timestamp = nowMs,
    metadata = {},
  } = input as Partial<Record<keyof MetricInput, unknown>>
  expectText('id', id, MAX_NAME)
  expectText('name', name, MAX_NAME)
  expectText('unit', unit, MAX_UNIT)
  expectNumber('value', value)
  expectNumber('timestamp', timestamp)
  if (!METRIC_CATEGORIES.includes(category as MetricCategory)) {
    throw invalid('category', `one of ${METRIC_CATEGORIES.join(', ')}`, category)
  }
  return {
    id,
    name,
    category: category as MetricCategory,
    value,
    unit,
    timestamp,
    metadata: checkMetadata(metadata),
  }
}

function checkMetadata(metadata: unknown): MetricMetadata {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw invalid('metadata', 'an object', metadata)
  }
  const entries = Object.entries(metadata)
  if (entries.length > MAX_METADATA_KEYS) {
    throw invalid('metadata', `at most ${MAX_METADATA_KEYS} keys`, `${entries.length}`)
  }
  for (const [key, value] of entries) {
    if (key.length > MAX_NAME) throw invalid('metadata', `keys up to ${MAX_NAME} characters`, key)
    const fits = typeof value === 'string' ? value.length <= MAX_METADATA_TEXT : isPlain(value)
    if (!fits) {
      const expected = `a number, a boolean or a text up to ${MAX_METADATA_TEXT} characters`
      throw invalid(`metadata.${key}`, expected, value)
    }
  }
  return Object.fromEntries(entries)
}

function isPlain(value: unknown): boolean {
  return typeof value === 'boolean' || Number.isFinite(value)
}

function expectText(field: string, value: unknown, max: number): asserts value is string {
  if (typeof value === 'string' && value.length > 0 && value.length <= max) return
  throw invalid(field, `a text of 1 to ${max} characters`, value)
}

function expectNumber(field: string, value: unknown): asserts value is number {
  if (!Number.isFinite(value)) throw invalid(field, 'a finite number', value)
}

function invalid(field: string, expected: string, got: unknown): InvalidMetricError {
  return new InvalidMetricError(
    `Expected ${field} of a metric to be ${expected}, got ${describe(got)}.`,
    { field },
  )
}

function describe(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 50 ? `${value.slice(0, 50)}…` : value)
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
