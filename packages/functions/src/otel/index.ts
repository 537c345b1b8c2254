export {
  createTracing,
  type ProcessedFunction,
  type TraceContext,
  type Tracing,
  type TracingOptions,
} from './tracing.js'
