export { RetentionSweep, type SweepResult } from '../retention/retention-sweep.js'
export { assertDurability } from './backend/assert-durability.js'
export { claimLost } from './backend/claim-lost.js'
export {
  type DeadLetterPosition,
  deadLetterCursor,
  isAfterCursor,
  readDeadLetterCursor,
} from './backend/dead-letter-cursor.js'
export {
  type DeadLetterState,
  type DeliveryState,
  ERASED_ERROR,
  settledState,
  settledStatus,
  toDeadLetter,
  toDelivery,
  toFirstDelivery,
  withoutContent,
} from './backend/delivery-state.js'
export { ambiguousId, envelopeOf, eventKey } from './backend/event-identity.js'
export {
  assertGroupClosed,
  eventNotFound,
  groupsNamed,
  startNotFound,
} from './backend/group-lookup.js'
export { DEFAULT_PAGE_BYTES, PageSize } from './backend/page-size.js'
export { RememberedFigures, type StoreFigures } from './backend/remembered-figures.js'
export { restOfRange, type SequenceRange } from './backend/sequence-range.js'
export { TimeSearch } from './backend/time-search.js'
export { deliveryTimeOf } from './event-store.js'
export { hasEnded } from './stored-event.js'
