import { EventBusError } from '../errors.js'
import { MAX_DELAY_MS, type PublishOptions, publishSchema } from '../options.js'
import { type ResolvedWaitOptions, waitSchema } from '../outcome/wait-options.js'
import { parseOptions } from '../parse-options.js'
import type { DueTime } from './event-encoder.js'

/**
 * Checks the options of a publish: how durable its events are to be, when they are due, and what to wait for.
 *
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function readPublishOptions(
  options: PublishOptions | undefined,
  nowMs: number,
): { durability?: PublishOptions['durability']; dueTime: DueTime; wait?: ResolvedWaitOptions } {
  if (options === undefined) return { dueTime: {} }
  const {
    durability,
    delayMs,
    deliverAt,
    wait = false,
  } = parseOptions(publishSchema, options, 'publish')
  const at = deliverAt === undefined ? undefined : new Date(deliverAt).getTime()
  if (at !== undefined && delayMs !== undefined) {
    throw new EventBusError(
      'INVALID_OPTIONS',
      'publish: expected either deliverAt or delayMs, got both',
    )
  }
  if (at !== undefined && at > nowMs + MAX_DELAY_MS) {
    throw new EventBusError(
      'INVALID_OPTIONS',
      `publish: deliverAt: expected a time within the next ten years, got ${new Date(at).toISOString()}`,
    )
  }
  return {
    durability,
    ...(wait !== false && { wait: waitSchema.parse(wait === true ? {} : wait) }),
    dueTime: {
      ...(at !== undefined && { deliverAtMs: at }),
      ...(delayMs !== undefined && { delayMs }),
    },
  }
}
