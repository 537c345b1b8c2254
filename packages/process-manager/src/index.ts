export { ProcessManagerError, type ProcessManagerErrorCode } from './errors.js'
export {
  CommandLock,
  type CommandLockStats,
  type LockOwner,
} from './locks/command-lock.js'
export type { CommandLockOptions, WithLockOptions } from './locks/command-lock-options.js'
export {
  type CacheTierStats,
  MetricsCache,
  type MetricsCacheStats,
  type MetricsCacheTier,
} from './metrics-cache/metrics-cache.js'
export type {
  MetricsCacheOptions,
  SharedMetricsCache,
} from './metrics-cache/metrics-cache-options.js'
export type { DaemonClientStats } from './native/client/daemon-client.js'
export { NativeEngine } from './native/client/native-engine.js'
export type { DaemonOptions, NativeEngineOptions } from './native/options.js'
export type { DaemonStats } from './native/protocol.js'
export type { ProcessManagerOptions } from './options.js'
export {
  ConnectionPool,
  type ConnectionPoolStats,
  type Pm2CallOptions,
} from './pm2/connection-pool.js'
export type { ConnectionPoolOptions } from './pm2/connection-pool-options.js'
export { Pm2Engine } from './pm2/pm2-engine.js'
export type { Pm2EngineOptions } from './pm2/pm2-engine-options.js'
export type {
  HealthReport,
  LogQuery,
  ProcessEngine,
  ServiceLogLine,
} from './process-engine.js'
export {
  ProcessManager,
  type ProcessManagerEvents,
  type ProcessManagerStats,
  type ServiceCommand,
} from './process-manager.js'
export type {
  HealthCheck,
  InstanceStatus,
  RestartRule,
  ServiceDefinition,
  ServiceState,
  ServiceStatus,
} from './service/service.js'
export { metricsOf, type ServiceMetrics } from './service/service-metrics.js'
export { type AppliedService, applyService } from './services-file/apply-service.js'
export {
  readEnvFile,
  readServicesFile,
  type ServiceEntry,
} from './services-file/read-services-file.js'
export type { RunRequest } from './warm-pool/host-messages.js'
export type { WarmPoolOptions } from './warm-pool/options.js'
export type { ProcessOutput } from './warm-pool/process-output.js'
export {
  type MakeOutput,
  type PooledProcess,
  WarmPool,
  type WarmPoolStats,
} from './warm-pool/warm-pool.js'
