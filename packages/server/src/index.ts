export { isLoopback } from './access/loopback.js'
export { createServer } from './create-server.js'
export { ServerError, type ServerErrorCode } from './errors.js'
export { OperationsLog, type OperationsLogParts } from './log/operations-log.js'
export { nexusApi } from './nexus-api.js'
export {
  type LookingPerformanceControl,
  PerformanceOnDemand,
  type PerformanceOnDemandOptions,
} from './operations/performance-on-demand.js'
export type {
  FoundOptimization,
  PerformanceControl,
  PerformanceSource,
  ProfileRequest,
  ProfileSource,
} from './operations/performance-source.js'
export {
  type NamedWebhook,
  type NexusApiOptions,
  type PageMetricsOptions,
  pageMetricsSchema,
  webhookHeadersSchema,
  webhookNameSchema,
} from './options.js'
