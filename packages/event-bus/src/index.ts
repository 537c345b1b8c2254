export { type Clock, systemClock } from './clock.js'
export type { EventHandler, HandlerDelivery } from './consume/handler-runner.js'
export type { Subscription, SubscriptionStats } from './consume/subscription.js'
export { EventBusError, type EventBusErrorCode } from './errors.js'
export type { CloudEvent, EventInput, JsonValue } from './event/cloud-event.js'
export { matchesPattern, PatternIndex } from './event/pattern.js'
export { EventBus, type EventBusListeners, type EventBusStats } from './event-bus.js'
export { compactLocalStore } from './local/compact-local-store.js'
export type { DataKey, DataKeyOptions } from './local/data-cipher.js'
export { localStore } from './local/local-store.js'
export type { LocalStoreOptions } from './local/local-store-options.js'
export {
  inspectLocalStore,
  type LocalStoreInspection,
  type LocalStoreRecovery,
  type LocalStoreRecoveryOptions,
  recoverLocalStore,
} from './local/recover-local-store.js'
export { type MemoryStoreOptions, memoryStore } from './memory/memory-store.js'
export {
  type BatchingOptions,
  batchingSchema,
  type EventBusOptions,
  type FetchOptions,
  fetchSchema,
  type HandlerOutcome,
  type PublisherOptions,
  type PublishOptions,
  publisherSchema,
  type RetryOptions,
  retrySchema,
  type SubscribeOptions,
  subscribeSchema,
} from './options.js'
export { parseOptions } from './parse-options.js'
export { type RetentionOptions, retentionSchema } from './retention/retention-options.js'
export { RetentionSweep, type SweepResult } from './retention/retention-sweep.js'
export { claimLost } from './store/claim-lost.js'
export { DeadLetters } from './store/dead-letters.js'
export { ambiguousId, eventKey } from './store/event-identity.js'
export type {
  AppendRequest,
  Claim,
  DeadLetter,
  DeadLetterListQuery,
  DeadLetterPage,
  DeadLetterQuery,
  Delivery,
  DeliveryError,
  DeliveryStatus,
  Durability,
  EraseQuery,
  Erasure,
  EventDetails,
  EventPage,
  EventStore,
  GroupConsumer,
  GroupRequest,
  GroupStats,
  ListQuery,
  PublishResult,
  ReplayQuery,
  ReplayResult,
  Settlement,
  StartPosition,
  StoreContext,
  StoredEvent,
  StoreStats,
} from './store/event-store.js'
export { deliveryTimeOf } from './store/event-store.js'
export { DEFAULT_PAGE_BYTES, PageSize } from './store/page-size.js'
export { patternSchema } from './store/query-options.js'
