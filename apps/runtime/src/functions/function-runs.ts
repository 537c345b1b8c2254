import type { FunctionRun } from '@nexus/client'
import type { Delivery } from '@nexus/event-bus'
import type { RunRecord } from './run-record.js'

/** What each function did with an event, from what the bus kept of its deliveries. */
export function functionRuns(deliveries: readonly Delivery[]): FunctionRun[] {
  return deliveries.map((delivery) => {
    const { group, status, attempts, replays, updatedAt, nextAttemptAt } = delivery
    const record = delivery.record as Partial<RunRecord> | undefined
    const error = record?.error ?? failureOutside(delivery)
    return {
      function: group,
      status,
      attempts,
      replays,
      updatedAt,
      ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
      ...(record?.durationMs === undefined ? {} : { durationMs: record.durationMs }),
      ...(record?.value === undefined ? {} : { value: record.value }),
      logs: record?.logs ?? [],
      ...(error && { error }),
    }
  })
}

/** A failure that is not the function's own: the sandbox could not run it. */
function failureOutside({ error }: Delivery): FunctionRun['error'] {
  return error && { code: error.code ?? 'INTERNAL_ERROR', name: 'Error', message: error.message }
}
