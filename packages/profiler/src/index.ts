export {
  InvalidMetricError,
  MetricNotFoundError,
  OptimizationNotApplicableError,
  OptimizationNotFoundError,
  PerformanceError,
  type PerformanceErrorCode,
  ProfilingAlreadyInProgressError,
  ProfilingNotStartedError,
} from './errors.js'
export type { HostFacts } from './host-facts.js'
export {
  METRIC_CATEGORIES,
  type MetricCategory,
  type MetricInput,
  type MetricMetadata,
  type PerformanceMetric,
} from './metric.js'
export type { MetricFilter } from './metric-store.js'
export type { MetricSummary } from './metric-summary.js'
export type { Evidence, Severity } from './optimizations/finding.js'
export type { Knob, KnobChange } from './optimizations/knob.js'
export type {
  Optimization,
  OptimizationResult,
  OptimizationState,
} from './optimizations/optimization.js'
export type { Clock, PerformanceClientOptions, PerformanceConfig } from './options.js'
export type { PageMetrics } from './page-metrics.js'
export {
  createPerformanceClient,
  type PerformanceClient,
  type PerformanceClientStats,
} from './performance-client.js'
export type { CpuUsage, EventLoopUsage, GcUsage, MemoryUsage } from './process-monitor.js'
export type { CallNode, Frame, FunctionCost } from './profiling/call-tree.js'
export { mergeThreadProfiles, type ThreadCpuProfile } from './profiling/merge-threads.js'
export { CpuProfile, HeapProfile, type Profile, type ProfileTiming } from './profiling/profile.js'
export type { ProfilingOptions } from './profiling/recorder.js'
export { PerformanceReport, type ReportContent } from './report.js'
export { PerformanceSnapshot } from './snapshot.js'
export type {
  CacheFigures,
  ComponentFigures,
  FunctionFigures,
  PerformanceSources,
  PoolFigures,
  ThreadFigures,
} from './sources.js'
export type { Interaction } from './ux/interaction.js'
export type { UxImprovement } from './ux/ux-improvement.js'
