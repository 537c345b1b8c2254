import type { MetricInput, MetricMetadata } from '../metrics/metric.js'

/** Something that a person did and waited for. */
export interface Interaction {
  /** Such as `checkout` or `open-order`. */
  name: string
  /** From the action to its visible answer, in milliseconds. */
  durationMs: number
  /** Whether it did what the person wanted. @default true */
  success?: boolean | undefined
  /** Data beside it. @default {} */
  metadata?: MetricMetadata | undefined
}

/** An interaction as the metric that keeps it. */
export function interactionMetric({
  name,
  durationMs,
  success = true,
  metadata,
}: Interaction): MetricInput {
  return {
    name,
    category: 'Interaction',
    value: durationMs,
    unit: 'ms',
    metadata: { ...metadata, success },
  }
}
