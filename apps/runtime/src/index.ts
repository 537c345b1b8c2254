export type {
  Activity,
  ActivityListener,
  ProblemActivity,
  ReloadActivity,
  RunActivity,
} from './activity.js'
export type { BusConfig } from './bus/bus-config.js'
export { ConfigError, type Problem } from './config/diagnostics.js'
export type { ConfigOverrides, FunctionConfig, RuntimeConfig } from './config/load-config.js'
export { RuntimeError, type RuntimeErrorCode } from './errors.js'
export { type Runtime, type StartRuntimeOptions, startRuntime } from './start-runtime.js'
