export { type Clock, systemClock } from './clock.js'
export type { FailedDelivery } from './consume/handler/failed-delivery.js'
export type { DeliveryContext, EventHandler } from './consume/handler/handler-runner.js'
export type { Subscription, SubscriptionStats } from './consume/subscription.js'
export { EventBusError, type EventBusErrorCode } from './errors.js'
export type { CloudEvent, EventInput, JsonValue } from './event/cloud-event.js'
export type {
  EventData,
  EventSchemas,
  NoSchemas,
  TypedEvent,
  TypedEventInput,
} from './event/event-schemas.js'
export { orderingKeyReader } from './event/ordering-key.js'
export { matchesPattern, PatternIndex } from './event/pattern.js'
export { EventBus } from './event-bus.js'
export type { EventBusListeners } from './event-bus-listeners.js'
export type { EventBusStats } from './event-bus-stats.js'
export { type DataKey, type DataKeyOptions, dataKeySchema } from './local/encryption/data-cipher.js'
export { localStore } from './local/local-store.js'
export type { LocalStoreOptions } from './local/local-store-options.js'
export { compactLocalStore } from './local/repair/compact-local-store.js'
export {
  inspectLocalStore,
  type LocalStoreInspection,
  type LocalStoreRecovery,
  type LocalStoreRecoveryOptions,
  recoverLocalStore,
} from './local/repair/recover-local-store.js'
export { type MemoryStoreOptions, memoryStore } from './memory/memory-store.js'
export {
  type BatchingOptions,
  batchingSchema,
  type EventBusOptions,
  type FetchOptions,
  fetchSchema,
  type HandlerResult,
  type PublisherOptions,
  type PublishOptions,
  publisherSchema,
  type RetryOptions,
  retrySchema,
  type ScheduledEvent,
  type SubscribeOptions,
  subscribeSchema,
} from './options.js'
export type { PublishOutcome, WaitOptions } from './outcome/wait-options.js'
export { parseOptions } from './parse-options.js'
export { type RetentionOptions, retentionSchema } from './retention/retention-options.js'
export { RetentionSweep, type SweepResult } from './retention/retention-sweep.js'
export { claimLost } from './store/backend/claim-lost.js'
export { ambiguousId, eventKey } from './store/backend/event-identity.js'
export { DEFAULT_PAGE_BYTES, PageSize } from './store/backend/page-size.js'
export { CheckedStates } from './store/checked-states.js'
export { DeadLetters } from './store/dead-letters.js'
export type {
  AppendRequest,
  Claim,
  EventStore,
  GroupConsumer,
  GroupRequest,
  PublishResult,
  Settlement,
  SharedEntry,
  StartPosition,
  StoreContext,
} from './store/event-store.js'
export { deliveryTimeOf, emittedBy } from './store/event-store.js'
export type {
  GroupStates,
  ResolvedStateQuery,
  StateChange,
  StateEntry,
  StatePage,
  StateQuery,
} from './store/group-state.js'
export type {
  DeadLetterListQuery,
  DeadLetterPage,
  DeadLetterQuery,
  EraseQuery,
  EventPage,
  ListQuery,
  ReplayQuery,
  ReplayResult,
} from './store/queries.js'
export { patternSchema } from './store/query-options.js'
export { SharedValues } from './store/shared-values.js'
export type { GroupStats, StoreStats } from './store/store-stats.js'
export type {
  DeadLetter,
  Delivery,
  DeliveryError,
  DeliveryStatus,
  Durability,
  Erasure,
  EventDetails,
  StoredEvent,
} from './store/stored-event.js'
export { DELIVERY_STATUSES } from './store/stored-event.js'
