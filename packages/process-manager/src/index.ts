export { ProcessManagerError, type ProcessManagerErrorCode } from './errors.js'
export { NativeEngine } from './native/client/native-engine.js'
export type { DaemonOptions, NativeEngineOptions } from './native/options.js'
export type { DaemonStats } from './native/protocol.js'
export type {
  HealthReport,
  LogQuery,
  ProcessEngine,
  ServiceLogLine,
} from './process-engine.js'
export type {
  HealthCheck,
  InstanceStatus,
  RestartRule,
  ServiceDefinition,
  ServiceState,
  ServiceStatus,
} from './service.js'
export type { WarmPoolOptions } from './warm-pool/options.js'
export { type PooledProcess, WarmPool, type WarmPoolStats } from './warm-pool/warm-pool.js'
