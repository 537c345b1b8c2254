import type { Delivery, EventBus } from '@nexus/event-bus'
import { type FunctionRun, functionRun } from '../run/function-run.js'
import type { RunRecord } from '../run/run-record.js'
import { partsOf } from './call-id.js'
import { resumeId } from './suspension-events.js'
import { SUSPENSION_SOURCE } from './suspension-source.js'

/**
 * The run that a delivery is; of a call that was suspended, as it stands now: the last part of it that the bus has. Parts are
 * numbered, so that the last one is found by doubling and halving.
 */
export async function followCall(bus: EventBus, delivery: Delivery): Promise<FunctionRun> {
  const run = functionRun(delivery)
  const record = delivery.record as Partial<RunRecord> | undefined
  const parts = record?.suspension && partsOf(record.suspension.suspensionId)
  if (run.status !== 'suspended' || !parts) return run
  const at = async (leg: number) => {
    const found = await bus.get(resumeId(parts.callId, leg), SUSPENSION_SOURCE)
    return found?.deliveries.find(({ group }) => group === delivery.group)
  }
  let last: Delivery | undefined
  let known = 0
  let missing = 1
  for (let found = await at(missing); found; found = await at(missing)) {
    last = found
    known = missing
    missing *= 2
  }
  while (missing - known > 1) {
    const middle = Math.floor((known + missing) / 2)
    const found = await at(middle)
    last = found ?? last
    if (found) known = middle
    else missing = middle
  }
  return last ? { ...functionRun(last), resumes: known } : run
}
