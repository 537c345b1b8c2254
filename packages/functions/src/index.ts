export { compileFunctions } from './compile-functions.js'
export { describeThrown, type ThrownDescription } from './describe-thrown.js'
export { FunctionsError, type FunctionsErrorCode } from './errors.js'
export { observeBus } from './figures/observe-bus.js'
export type { CompiledFunction, FunctionDefinition } from './function-definition.js'
export { type EventKey, FunctionHost, type FunctionHostStats } from './function-host.js'
export type { FunctionHostOptions } from './options.js'
export type { FunctionAttempt } from './run/function-attempt.js'
export { type FunctionRun, functionRun } from './run/function-run.js'
export type { LogLine, RunError, TruncatedPart } from './run/run-record.js'
export {
  FunctionWatcher,
  type FunctionWatcherOptions,
  type LoadedDefinitions,
} from './watch/function-watcher.js'
