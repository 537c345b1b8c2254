import type { EventBus, EventDetails } from '@nexus/event-bus'
import { callIdOf } from './call-id.js'
import { callRemoval } from './events/waiting-calls.js'
import { CALL, FAILED, readCall } from './stored-suspension.js'
import { resumeId } from './suspension-events.js'
import { SUSPENSION_SOURCE } from './suspension-source.js'

/**
 * Removes what is kept of calls that an event began: their images, from which they would go on, and what the events say and
 * left by which they went on so far.
 */
export async function forgetCalls(
  bus: EventBus,
  { event, deliveries }: EventDetails,
  reason: string | undefined,
): Promise<void> {
  for (const { group, replays } of deliveries) {
    for (let replay = 0; replay <= replays; replay++) {
      const callId = callIdOf(event, group, replay)
      const stored = await readCall(bus, group, callId, [CALL, FAILED])
      for (const change of stored ? callRemoval(callId, stored) : []) {
        await bus.states.put(group, change)
      }
      for (let leg = 1; await isErased(bus, resumeId(callId, leg), reason); leg++);
    }
  }
}

function isErased(bus: EventBus, id: string, reason: string | undefined): Promise<boolean> {
  return bus.erase({ id, source: SUSPENSION_SOURCE, reason })
}
