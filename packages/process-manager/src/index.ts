export { ProcessManagerError, type ProcessManagerErrorCode } from './errors.js'
export type { DaemonClientStats } from './native/client/daemon-client.js'
export { NativeEngine } from './native/client/native-engine.js'
export type { DaemonOptions, NativeEngineOptions } from './native/options.js'
export type { DaemonStats } from './native/protocol.js'
export type { ProcessManagerOptions } from './options.js'
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
} from './service.js'
export type { RunRequest } from './warm-pool/host-messages.js'
export type { WarmPoolOptions } from './warm-pool/options.js'
export { type PooledProcess, WarmPool, type WarmPoolStats } from './warm-pool/warm-pool.js'
