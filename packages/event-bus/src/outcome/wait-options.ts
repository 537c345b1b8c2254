import { z } from 'zod'
import type { PublishResult } from '../store/event-store.js'
import type { Delivery } from '../store/stored-event.js'

/** How `publish` waits for what the groups do with its event. */
export interface WaitOptions {
  /** How long at most, in milliseconds; the groups go on when the wait ends. @default 30_000 */
  timeoutMs?: number | undefined
  /**
   * Which groups to wait for.
   * @default on a store that several processes share, every group that gets the event; else those that are consumed here
   */
  groups?: readonly string[] | undefined
  /** Ends the wait, which then rejects with its reason; the event is stored all the same. */
  signal?: AbortSignal | undefined
}

/** What came of a published event. */
export interface PublishOutcome extends PublishResult {
  /** Whether each group ended: it succeeded, or made a dead letter of the event. False when the time was over first. */
  settled: boolean
  /** Where each group stands, by the names of the groups; `record` and `error` are those of the last attempt. */
  deliveries: Delivery[]
}

/** {@link WaitOptions} with defaults filled in. */
export interface ResolvedWaitOptions extends WaitOptions {
  timeoutMs: number
}

/** The longest wait, in milliseconds: that of a timer. */
const MAX_WAIT_MS = 2 ** 31 - 1

/** Checks {@link WaitOptions} and fills in defaults. */
export const waitSchema = z.strictObject({
  timeoutMs: z.int().min(1).max(MAX_WAIT_MS).default(30_000),
  groups: z.array(z.string().min(1)).min(1).optional(),
  signal: z.instanceof(AbortSignal).optional(),
}) satisfies z.ZodType<ResolvedWaitOptions, WaitOptions>
