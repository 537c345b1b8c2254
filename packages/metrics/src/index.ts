export { MetricsError, type MetricsErrorCode } from './errors.js'
export { MetricsCollector, type MetricsCollectorOptions } from './executions/collector.js'
export type {
  CollectorStats,
  DurationStats,
  ExecutionStats,
  RecordedCompilation,
  RecordedExecution,
} from './executions/recorded-execution.js'
export { BoundCounter, Counter } from './kinds/counter.js'
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
} from './kinds/definition.js'
export type { ExemplarLabels } from './kinds/exemplar.js'
export { BoundGauge, Gauge } from './kinds/gauge.js'
export { BoundHistogram, Histogram } from './kinds/histogram.js'
export { Metric } from './kinds/metric.js'
export { BoundSummary, Summary } from './kinds/summary.js'
export { EventLoopDelay, type EventLoopDelayReading } from './node/event-loop-delay.js'
export { EventLoopUtilization } from './node/event-loop-utilization.js'
export { addProcessMetrics } from './node/process-metrics.js'
export type { MetricsRegistryOptions, WallClock } from './options.js'
export {
  MetricsGroup,
  type MetricsGroupStats,
  type MetricsMember,
} from './processes/metrics-group.js'
export {
  type ParentChannel,
  type SharedMetrics,
  type ShareMetricsOptions,
  shareMetrics,
} from './processes/share-metrics.js'
export { CONTENT_TYPES, type ExpositionFormat } from './registry/format.js'
export { type NegotiatedFormat, negotiateFormat } from './registry/negotiate-format.js'
export type { ObservedDefinition, ObservedMetrics } from './registry/observed-metrics.js'
export {
  MetricsRegistry,
  type MetricsWatcher,
  type RegistryStats,
} from './registry/registry.js'
export type {
  CounterSnapshot,
  GaugeSnapshot,
  HistogramSnapshot,
  MetricSnapshot,
  MetricType,
  PlainNumber,
  RegistrySnapshot,
  SummarySnapshot,
} from './registry/snapshot.js'
export { QuantileSketch, type SketchSnapshot } from './sketch/quantile-sketch.js'
export { addSystemMetrics } from './system/system-metrics.js'
export { SystemMonitor, type SystemMonitorOptions } from './system/system-monitor.js'
export type {
  CpuReading,
  DiskSpaceReading,
  MemoryReading,
  SystemReading,
  TrafficReading,
} from './system/system-reading.js'
