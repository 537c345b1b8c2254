import type { PerformanceMetric } from '../metrics/metric.js'
import { quantile } from '../metrics/metric-summary.js'

/** Something that people notice and that could be better. */
export interface UxImprovement {
  /** Tells it apart, such as `web-vital:LCP`. */
  id: string
  /** The interaction or web vital. */
  subject: string
  /** How far it is from good. */
  severity: 'needs-improvement' | 'poor'
  /** What was measured: the 75th percentile, or a share of failures. */
  value: number
  /** Unit of `value` and `limit`. */
  unit: string
  /** What would be good. */
  limit: number
  /** How many measurements this is from. */
  samples: number
  /** What usually helps. */
  suggestion: string
}

/** Fewer measurements say nothing. */
const MIN_SAMPLES = 5
/** What people feel as immediate and as broken; the limits of Interaction to Next Paint. */
const INTERACTION_MS = { good: 200, poor: 500 }
const FAILURES = { good: 0.02, poor: 0.1 }

/** Limits of web.dev for the 75th percentile, and what usually helps. */
const VITALS: Readonly<Record<string, { good: number; poor: number; suggestion: string }>> = {
  LCP: {
    good: 2_500,
    poor: 4_000,
    suggestion: 'Load the largest image or text first, and answer the page request sooner.',
  },
  INP: {
    good: 200,
    poor: 500,
    suggestion: 'Break up long tasks, and answer input before working.',
  },
  CLS: { good: 0.1, poor: 0.25, suggestion: 'Give images, ads and late content their size.' },
  FCP: { good: 1_800, poor: 3_000, suggestion: 'Send less before the first paint.' },
  TTFB: { good: 800, poor: 1_800, suggestion: 'Answer the page request sooner, or cache it.' },
}

/** Tells from metrics what people wait for too long, worst first. */
export function findUxImprovements(metrics: readonly PerformanceMetric[]): UxImprovement[] {
  const groups = new Map<string, PerformanceMetric[]>()
  for (const metric of metrics) {
    const isVital = metric.category === 'Rendering' && metric.name in VITALS
    if (metric.category !== 'Interaction' && !isVital) continue
    const key = `${metric.category}\n${metric.name}`
    const group = groups.get(key)
    if (group) group.push(metric)
    else groups.set(key, [metric])
  }
  return [...groups.values()]
    .filter((group) => group.length >= MIN_SAMPLES)
    .flatMap((group) =>
      group[0]!.category === 'Interaction' ? judgeInteraction(group) : judgeVital(group),
    )
    .sort((a, b) => b.value / b.limit - a.value / a.limit)
}

function judgeInteraction(group: readonly PerformanceMetric[]): UxImprovement[] {
  const subject = group[0]!.name
  const failed = group.filter(({ metadata }) => metadata.success === false).length / group.length
  return [
    ...judge(p75(group), INTERACTION_MS, {
      id: `slow-interaction:${subject}`,
      subject,
      unit: 'ms',
      samples: group.length,
      suggestion: 'Show an answer at once, and do the work after it.',
    }),
    ...judge(failed, FAILURES, {
      id: `failing-interaction:${subject}`,
      subject,
      unit: 'ratio',
      samples: group.length,
      suggestion: 'See what the failed ones have in common in their metadata.',
    }),
  ]
}

function judgeVital(group: readonly PerformanceMetric[]): UxImprovement[] {
  const { name, unit } = group[0]!
  const { suggestion, ...limits } = VITALS[name]!
  const rest = { id: `web-vital:${name}`, subject: name, unit, samples: group.length, suggestion }
  return judge(p75(group), limits, rest)
}

function judge(
  value: number,
  { good, poor }: { good: number; poor: number },
  rest: Omit<UxImprovement, 'severity' | 'value' | 'limit'>,
): UxImprovement[] {
  if (value <= good) return []
  return [{ ...rest, severity: value > poor ? 'poor' : 'needs-improvement', value, limit: good }]
}

function p75(group: readonly PerformanceMetric[]): number {
  return quantile(
    group.map(({ value }) => value).sort((a, b) => a - b),
    0.75,
  )
}
