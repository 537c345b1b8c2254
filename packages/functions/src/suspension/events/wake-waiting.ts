import type { DeliveryContext, EventBus, EventInput } from '@nexus/event-bus'
import { resumeEvent } from '../suspension-events.js'
import { SUSPENSION_SOURCE } from '../suspension-source.js'
import { isBehind } from './find-event.js'
import { waitingFor } from './waiting-calls.js'

const BATCH = 100

/**
 * Has calls of a function go on that wait for an event, for its delivery to the group of their waits. A resume is stored once,
 * so that a delivery that comes again wakes no one twice.
 */
export async function wakeWaiting(
  bus: EventBus,
  functionName: string,
  delivery: DeliveryContext,
): Promise<void> {
  const { event } = delivery
  if (event.source === SUSPENSION_SOURCE) return
  const found = { id: event.id, source: event.source }
  let resumes: EventInput[] = []
  for await (const waiting of waitingFor(bus, functionName, event)) {
    if (!isBehind(waiting, delivery)) continue
    const { callId, waitId, ...of } = waiting
    resumes.push(resumeEvent(functionName, callId, of, waitId, { found }))
    if (resumes.length < BATCH) continue
    await bus.publishBatch(resumes)
    resumes = []
  }
  if (resumes.length > 0) await bus.publishBatch(resumes)
}
