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
export {
  METRIC_CATEGORIES,
  type MetricCategory,
  type MetricInput,
  type MetricMetadata,
  type PerformanceMetric,
} from './metrics/metric.js'
export type { MetricFilter } from './metrics/metric-store.js'
export type { MetricSummary } from './metrics/metric-summary.js'
export type { Evidence, Finding, OptimizationRule, Severity } from './optimizations/finding.js'
export type { Knob, KnobChange } from './optimizations/knob.js'
export type {
  Optimization,
  OptimizationResult,
  OptimizationState,
} from './optimizations/optimization.js'
export type { PerformanceClientOptions, PerformanceConfig } from './options.js'
export type { Interaction } from './pages/interaction.js'
export type { PageMetrics } from './pages/page-metrics.js'
export type { UxImprovement } from './pages/ux-improvement.js'
export {
  createPerformanceClient,
  type PerformanceClient,
  type PerformanceClientStats,
} from './performance-client.js'
export type { CallNode, Frame, FunctionCost } from './profiling/call-tree.js'
export { mergeThreadProfiles, type ThreadCpuProfile } from './profiling/merge-threads.js'
export { CpuProfile, HeapProfile, type Profile, type ProfileTiming } from './profiling/profile.js'
export {
  type AllocatingCode,
  type ProcessProfile,
  type ProcessProfileOptions,
  type ProfiledCode,
  type ProfiledThread,
  type ProfiledThreads,
  profileProcess,
} from './profiling/profile-process.js'
export type { ProfileTracer, ProfilingOptions } from './profiling/recorder.js'
export { PerformanceReport } from './reports/report.js'
export type { ReportContent } from './reports/report-content.js'
export type { HostFacts } from './snapshots/host-facts.js'
export type { HostState } from './snapshots/host-state.js'
export type { CpuUsage, EventLoopUsage, GcUsage, MemoryUsage } from './snapshots/process-monitor.js'
export { PerformanceSnapshot } from './snapshots/snapshot.js'
export type { ComponentFigures, FunctionFigures, PerformanceSources } from './snapshots/sources.js'
