export { createMetricProducer } from './metric-producer.js'
export {
  createTracing,
  type ProcessedFunction,
  type TraceContext,
  type Tracing,
  type TracingOptions,
} from './tracing.js'
