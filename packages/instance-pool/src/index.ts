export { PoolError, type PoolErrorCode } from './errors.js'
export type { DiscardReason, InstanceKind } from './instance-kind.js'
export { InstancePool, type InstancePoolStats } from './instance-pool.js'
export type { Lease } from './lease.js'
export type { InstancePoolOptions, PoolClock, ResolvedInstancePoolOptions } from './options.js'
export { HandlerImage } from './quickjs/handler-image.js'
export {
  type GuestPtr,
  type HostCall,
  MAX_HOST_ANSWER,
  QuickJSInstance,
} from './quickjs/quickjs-instance.js'
export { type Isolation, QuickJSKind, type QuickJSUse } from './quickjs/quickjs-kind.js'
export { QuickJSTemplate, type QuickJSTemplateOptions } from './quickjs/quickjs-template.js'
