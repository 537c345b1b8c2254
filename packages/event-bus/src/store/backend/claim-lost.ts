import { EventBusError } from '../../errors.js'
import type { CloudEvent } from '../../event/cloud-event.js'

/** The error for a settlement of a claim that its consumer no longer has. */
export function claimLost(group: string, { id, source }: CloudEvent): EventBusError {
  return new EventBusError(
    'CLAIM_LOST',
    `event ${id} of group ${group}: expected a claim of this consumer, but it was given back or lapsed, and another consumer may have the event; nothing was stored. If handlers run longer than ackWaitMs while the process stands still, raise ackWaitMs`,
    { details: { group, id, source } },
  )
}
