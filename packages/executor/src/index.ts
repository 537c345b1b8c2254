export type { CompiledHandler } from '@nexus/compile-cache'
export type { Isolation } from '@nexus/instance-pool'
export type { CallSuspension, HandlerContext } from './call/handler-context.js'
export type { FileOptions, PrecompileOptions } from './compile/file-options.js'
export type {
  RuntimeCache,
  RuntimeCacheEntries,
  RuntimeCacheStats,
} from './compile/runtime-cache.js'
export type { ContextOptions } from './context/context-options.js'
export { ScriptContext, type ScriptContextStats } from './context/script-context.js'
export type { DispatcherStats } from './dispatcher.js'
export { ExecutorError } from './errors.js'
export type { Handler, HandlerApi, LogFunction, RequestHandler } from './guest/handler.js'
export type { LogLevel } from './guest/protocol.js'
export type { IncomingRequest, ResponsePart } from './guest/web/fetch/served-request.js'
export type {
  AroundHostCall,
  InvokeFunction,
  LinkFunction,
  LinkRequest,
  RespondFunction,
} from './host/guest-services.js'
export type { CheckedMethod, HostMethods, PlainMethod } from './host/host-functions.js'
export type { Schema } from './host/input-schema.js'
export type { ResolveHost } from './net/address-policy.js'
export {
  type CallOptions,
  callOptionsSchema,
  type ShutdownOptions,
  type SuspensionOptions,
  type WasmRuntimeOptions,
} from './options.js'
export type { ErrorCode } from './result/error-code.js'
export type {
  EmittedEvent,
  ErrorLocation,
  ExecutionError,
  ExecutionMetrics,
  ExecutionReport,
  ExecutionResult,
  FailedExecution,
  LogEntry,
  SuccessfulExecution,
  SuspendedExecution,
} from './result/execution-result.js'
export { FileSuspensionStore } from './suspension/file-suspension-store.js'
export { type ImageKey, type ImageKeyOptions, imageKeySchema } from './suspension/image-sealer.js'
export { MemorySuspensionStore } from './suspension/memory-suspension-store.js'
export type { ResumeContext } from './suspension/resume-context.js'
export type { ThrownByHost } from './suspension/resume-outcome.js'
export type {
  ResumeOutcome,
  Suspension,
  SuspensionWait,
} from './suspension/suspension.js'
export type { SuspensionClaim, SuspensionStore } from './suspension/suspension-store.js'
export type { ThreadProfile } from './threads/profiling/profiled-threads.js'
export type { WasiHandler, WasiOptions } from './wasi/wasi-handler.js'
export { WasmRuntime, type WasmRuntimeStats } from './wasm-runtime.js'
