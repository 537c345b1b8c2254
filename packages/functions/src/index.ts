export { type CompileFunctionsOptions, compileFunctions } from './compile-functions.js'
export { FunctionsError, type FunctionsErrorCode } from './errors.js'
export type { DeadLetterData } from './failure/dead-letter-event.js'
export { failureProblem } from './failure/failure-functions.js'
export { observeBus } from './figures/observe-bus.js'
export { observeFunctions } from './figures/observe-functions.js'
export type { CompiledFunction, FunctionDefinition } from './function-definition.js'
export { type FunctionEntry, functionEntrySchema } from './function-entry.js'
export {
  type EventKey,
  FunctionHost,
  type FunctionHostStats,
  type PauseOptions,
} from './function-host.js'
export type { HttpMatch } from './http/http-routes.js'
export type { HttpMethod, HttpTrigger, ResolvedHttpTrigger } from './http/http-trigger.js'
export type { Invocation, InvokeOptions } from './invoke/invoke-function.js'
export { meantIssues } from './meant-issues.js'
export type { FunctionHostOptions } from './options.js'
export { describePauseChange } from './pause/describe-pause-change.js'
export type { FunctionPause, FunctionPauseChange } from './pause/function-pause.js'
export { type EventOutcome, type EventReceipt, eventOutcome } from './run/event-outcome.js'
export type { FunctionAttempt } from './run/function-attempt.js'
export type { FunctionRun } from './run/function-run.js'
export { functionRuns } from './run/function-runs.js'
export type { FunctionStatus } from './run/function-status.js'
export type { LogLine, RunError, RunSuspension, TruncatedPart } from './run/run-record.js'
export { type ResolvedSchedule, type Schedule, scheduleSchema } from './schedule/schedule.js'
export type { FunctionSuspension, FunctionWait } from './suspension/function-suspension.js'
export {
  FunctionSuspensions,
  type OpenedLink,
  type ResumeReceipt,
  type SuspensionPage,
  type SuspensionQuery,
} from './suspension/function-suspensions.js'
export { type ResumeLinkOptions, resumeLinkSchema } from './suspension/links/resume-links.js'
export type { SuspensionCounts } from './suspension/suspension-counts.js'
export { FunctionWatcher, type FunctionWatcherOptions } from './watch/function-watcher.js'
