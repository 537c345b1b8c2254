import { randomUUID } from 'node:crypto'
import type { EventBus } from '@nexus/event-bus'
import { z } from 'zod'
import { FunctionsError } from '../errors.js'
import { parseOptions } from '../options.js'
import { type FunctionRun, functionRun } from '../run/function-run.js'

/** Options of `FunctionHost.invoke`. */
export interface InvokeOptions {
  /**
   * How long to wait for the function to end, retries included, in milliseconds; it goes on when the wait ends.
   * @default 30_000
   */
  timeoutMs?: number | undefined
  /** Id of the invocation: invoked again with the same id, the function does not run again. @default a new one */
  id?: string | undefined
  /** `source` of the event. @default '/invocations' */
  source?: string | undefined
  /** Ends the wait; the function goes on. */
  signal?: AbortSignal | undefined
}

/** How an invoked function ended. */
export interface Invocation extends FunctionRun {
  /** `succeeded`, `suspended`: it waits for something, or `dead-lettered`: every attempt failed. */
  status: 'succeeded' | 'suspended' | 'dead-lettered'
  /** The event that carried the invocation. */
  event: { id: string; source: string; type: string }
}

const invokeSchema = z.strictObject({
  timeoutMs: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(30_000),
  id: z.string().min(1).default(randomUUID),
  source: z.string().min(1).default('/invocations'),
  signal: z.instanceof(AbortSignal).optional(),
})

/** The type of the event that invokes a function. */
export function invocationType(name: string): string {
  return `nexus.invoke.${name}`
}

/**
 * Publishes an invocation, and waits for what its function does.
 *
 * @throws FunctionsError `INVALID_OPTIONS`, `INVOKE_TIMEOUT`; the reason of the signal; EventBusError when the event is refused
 */
export async function invokeFunction(
  bus: EventBus,
  name: string,
  data: unknown,
  options: InvokeOptions = {},
): Promise<Invocation> {
  const { id, source, timeoutMs, signal } = parseOptions(invokeSchema, options, 'invoke')
  const event = { id, source, type: invocationType(name) }
  const wait = { timeoutMs, signal, groups: [name] }
  const { deliveries } = await bus.publish({ ...event, data }, { wait })
  const run = deliveries[0] && functionRun(deliveries[0])
  const status = run?.status
  if (status === 'succeeded' || status === 'suspended' || status === 'dead-lettered') {
    return { ...run!, status, event }
  }
  throw new FunctionsError(
    'INVOKE_TIMEOUT',
    `function ${name} has not ended ${timeoutMs} ms after it was invoked; it goes on, and runs({ id: '${id}', source: '${source}' }) tells how it ends`,
  )
}
