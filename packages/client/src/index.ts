export type { NexusClientErrorCode, NexusClientErrorDetails } from './errors.js'
export { NexusClientError } from './errors.js'
export type {
  DeadLetterFilter,
  EraseEventQuery,
  EventFilter,
  EventQuery,
  InvokeQuery,
  ListDeadLettersQuery,
  ListEventsQuery,
  ListSuspensionsQuery,
  PauseQuery,
  ProfileQuery,
  PruneQuery,
  PublishQuery,
} from './nexus-client.js'
export { NexusClient } from './nexus-client.js'
export type { NexusClientOptions } from './options.js'
export type {
  CachedEntry,
  CacheFigures,
  CacheReport,
  CacheTierReport,
  ClearReceipt,
  PruneReceipt,
  WarmReceipt,
} from './wire/cache-report.js'
export type { FunctionDeadLetter, FunctionDeadLetterPage } from './wire/dead-letters.js'
export type {
  CloudEvent,
  CloudEventPage,
  Erasure,
  ErasureReceipt,
  EventOutcome,
  EventWithRuns,
  FunctionRun,
  Invocation,
  JsonValue,
  ListedEvent,
  LogLine,
  NewEvent,
  OmittedData,
  PublishReceipt,
  ReplayReceipt,
  RunError,
  RunStatus,
  RunSuspension,
} from './wire/events.js'
export type {
  FunctionPause,
  FunctionSchedule,
  FunctionStatus,
  PauseReceipt,
} from './wire/functions.js'
export type { MachineReport, TrafficReport } from './wire/machine-report.js'
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
  AllocatingCode,
  ProfiledCode,
  ProfiledFunction,
  ProfiledThread,
  ProfileReport,
} from './wire/profile-report.js'
export type {
  FunctionSuspension,
  FunctionWait,
  ResumeBody,
  ResumeReceipt,
  SuspensionPage,
} from './wire/suspensions.js'
