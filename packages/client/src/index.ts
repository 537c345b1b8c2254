export type { NexusClientErrorCode, NexusClientErrorDetails } from './errors.js'
export { NexusClientError } from './errors.js'
export type { EventFilter, ListEventsQuery, ProfileQuery } from './nexus-client.js'
export { NexusClient } from './nexus-client.js'
export type { NexusClientOptions } from './options.js'
export type {
  CloudEvent,
  EventDetails,
  EventPage,
  FunctionRun,
  JsonValue,
  LogLine,
  MetricsReport,
  NewEvent,
  Optimization,
  OptimizationEvidence,
  OptimizationsReport,
  PageMetricSummary,
  PagePerformanceReport,
  ProfiledCode,
  ProfiledFunction,
  ProfiledThread,
  ProfileReport,
  PublishReceipt,
  ReplayReceipt,
  RunError,
  RunStatus,
  UxImprovement,
} from './wire.js'
