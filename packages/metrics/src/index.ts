export { MetricsCollector, type MetricsCollectorOptions } from './collector.js'
export { BoundCounter, Counter } from './counter.js'
export type {
  Collect,
  CounterDefinition,
  GaugeAggregation,
  GaugeDefinition,
  HistogramDefinition,
  Labels,
  MetricDefinition,
  Observe,
  SummaryDefinition,
} from './definition.js'
export { MetricsError, type MetricsErrorCode } from './errors.js'
export type {
  CollectorStats,
  DurationStats,
  ExecutionMetrics,
  ExecutionStats,
} from './execution-metrics.js'
export type { ExemplarLabels } from './exemplar.js'
export { CONTENT_TYPES, type ExpositionFormat } from './format.js'
export { BoundGauge, Gauge } from './gauge.js'
export { BoundHistogram, Histogram } from './histogram.js'
export { Metric } from './metric.js'
export { type GroupStats, MetricsGroup, type MetricsMember } from './metrics-group.js'
export { type NegotiatedFormat, negotiateFormat } from './negotiate-format.js'
export type { ObservedDefinition, ObservedMetrics } from './observed-metrics.js'
export type { Clock, MetricsRegistryOptions } from './options.js'
export { addProcessMetrics } from './process-metrics.js'
export { QuantileSketch, type SketchSnapshot } from './quantile-sketch.js'
export {
  MetricsRegistry,
  type MetricsWatcher,
  type RegistryStats,
} from './registry.js'
export {
  type ParentChannel,
  type SharedMetrics,
  type ShareMetricsOptions,
  shareMetrics,
} from './share-metrics.js'
export type {
  CounterSnapshot,
  GaugeSnapshot,
  HistogramSnapshot,
  MetricSnapshot,
  MetricType,
  PlainNumber,
  RegistrySnapshot,
  SummarySnapshot,
} from './snapshot.js'
export type {
  BusFigures,
  ByLabel,
  CacheFigures,
  MetricsSources,
  PoolFigures,
  Source,
  ThreadFigures,
} from './sources.js'
export { BoundSummary, Summary } from './summary.js'
