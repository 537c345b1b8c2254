export type { CompiledHandler } from '@nexus/compile-cache'
export type { Isolation } from '@nexus/instance-pool'
export type { ErrorCode } from './call/error-code.js'
export type {
  EmittedEvent,
  ExecutionError,
  ExecutionMetrics,
  ExecutionResult,
  LogEntry,
  SourceLocation,
} from './call/execution-result.js'
export type { HandlerContext } from './call/handler-context.js'
export type { DispatcherStats } from './dispatcher.js'
export { ExecutorError } from './errors.js'
export type { Handler, HandlerApi, LogFunction } from './guest/handler.js'
export type { LogLevel } from './guest/protocol.js'
export type { Schema } from './host/extension-schema.js'
export type { CheckedMethod, ExtensionMethods, PlainMethod } from './host/extensions.js'
export type { AroundHostCall } from './host/guest-services.js'
export type { ResolveHost } from './net/address-policy.js'
export { type CallOptions, callOptionsSchema, type WasmRuntimeOptions } from './options.js'
export type { ThreadProfile } from './threads/profiled-threads.js'
export type { WasiHandler, WasiOptions } from './wasi/wasi-handler.js'
export { type FileOptions, WasmRuntime, type WasmRuntimeStats } from './wasm-runtime.js'
