export type { CompiledHandler } from '@nexus/compile-cache'
export type { Isolation } from '@nexus/instance-pool'
export type { HandlerContext } from './call/handler-context.js'
export type { FileOptions } from './compile/file-options.js'
export type { DispatcherStats } from './dispatcher.js'
export { ExecutorError } from './errors.js'
export type { Handler, HandlerApi, LogFunction } from './guest/handler.js'
export type { LogLevel } from './guest/protocol.js'
export type { AroundHostCall } from './host/guest-services.js'
export type { CheckedMethod, HostMethods, PlainMethod } from './host/host-functions.js'
export type { Schema } from './host/input-schema.js'
export type { ResolveHost } from './net/address-policy.js'
export { type CallOptions, callOptionsSchema, type WasmRuntimeOptions } from './options.js'
export type { ErrorCode } from './result/error-code.js'
export type {
  EmittedEvent,
  ErrorLocation,
  ExecutionError,
  ExecutionMetrics,
  ExecutionResult,
  LogEntry,
} from './result/execution-result.js'
export type { ThreadProfile } from './threads/profiling/profiled-threads.js'
export type { WasiHandler, WasiOptions } from './wasi/wasi-handler.js'
export { WasmRuntime, type WasmRuntimeStats } from './wasm-runtime.js'
