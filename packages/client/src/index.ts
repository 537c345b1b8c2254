export type { NexusClientErrorCode, NexusClientErrorDetails } from './errors.js'
export { NexusClientError } from './errors.js'
export type {
  EraseEventQuery,
  EventFilter,
  EventQuery,
  ListEventsQuery,
  ProfileQuery,
} from './nexus-client.js'
export { NexusClient } from './nexus-client.js'
export type { NexusClientOptions } from './options.js'
export type {
  CloudEvent,
  CloudEventPage,
  Erasure,
  ErasureReceipt,
  EventWithRuns,
  FunctionRun,
  JsonValue,
  ListedEvent,
  LogLine,
  NewEvent,
  OmittedData,
  PublishReceipt,
  ReplayReceipt,
  RunError,
  RunStatus,
} from './wire/events.js'
export type { MetricsReport } from './wire/metrics-report.js'
export type {
  OptimizationEvidence,
  OptimizationsReport,
  PageMetricSummary,
  PagePerformanceReport,
  ReportedOptimization,
  UxImprovement,
} from './wire/optimizations-report.js'
export type {
  ProfiledCode,
  ProfiledFunction,
  ProfiledThread,
  ProfileReport,
} from './wire/profile-report.js'
