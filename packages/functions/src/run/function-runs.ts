import type { Delivery, EventBus } from '@nexus/event-bus'
import { isWaitsGroup } from '../suspension/events/waits-group.js'
import { followCall } from '../suspension/follow-call.js'
import type { FunctionRun } from './function-run.js'

/**
 * What each function did with an event. A call that was suspended is told as it stands now, after it went on.
 *
 * @example
 * ```ts
 * const details = await bus.get(id)
 * const runs = await functionRuns(bus, details?.deliveries ?? [])
 * ```
 */
export function functionRuns(
  bus: EventBus,
  deliveries: readonly Delivery[],
): Promise<FunctionRun[]> {
  const ofFunctions = deliveries.filter(({ group }) => !isWaitsGroup(group))
  return Promise.all(ofFunctions.map((delivery) => followCall(bus, delivery)))
}
