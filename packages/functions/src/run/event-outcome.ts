import type { PublishOutcome, PublishResult } from '@nexus/event-bus'
import { isWaitsGroup } from '../suspension/events/waits-group.js'
import { type FunctionRun, functionRun } from './function-run.js'

/** A published event. */
export interface EventReceipt {
  /** The id of the event, given or made. */
  id: string
  /** True when an event with this source and id was stored before; nothing was stored this time. */
  duplicate: boolean
}

/** A published event, with what each function did with it. */
export interface EventOutcome extends EventReceipt {
  /** Whether each function ended: it succeeded, or every attempt failed. False when the time was over first. */
  settled: boolean
  /** One for each function that hears the event. */
  runs: FunctionRun[]
}

/** What the bus answers to a publish, in the terms of functions; `settled` and `runs` are there when it waited. */
export function eventOutcome(result: PublishOutcome): EventOutcome
/** The same where the publish may not have waited. */
export function eventOutcome(result: PublishResult): EventReceipt
export function eventOutcome(result: PublishResult | PublishOutcome): EventReceipt {
  const { id, duplicate } = result
  if (!('deliveries' in result)) return { id, duplicate }
  return {
    id,
    duplicate,
    settled: result.settled,
    runs: result.deliveries.filter(({ group }) => !isWaitsGroup(group)).map(functionRun),
  } as EventOutcome
}
