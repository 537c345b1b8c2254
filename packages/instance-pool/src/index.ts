export { PoolError, type PoolErrorCode } from './errors.js'
export { HandlerImage } from './image/handler-image.js'
export type { InstancePoolOptions, PoolClock, ResolvedInstancePoolOptions } from './options.js'
export type { DiscardReason, InstanceKind } from './pool/instance-kind.js'
export { InstancePool, type InstancePoolStats } from './pool/instance-pool.js'
export type { Lease } from './pool/lease.js'
export {
  type GuestPtr,
  type HostCall,
  MAX_HOST_ANSWER,
  QuickJSInstance,
} from './quickjs/quickjs-instance.js'
export { type Isolation, QuickJSKind, type QuickJSUse } from './quickjs/quickjs-kind.js'
export { QuickJSTemplate, type QuickJSTemplateOptions } from './quickjs/quickjs-template.js'
