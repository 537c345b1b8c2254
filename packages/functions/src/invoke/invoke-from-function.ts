import { createHash } from 'node:crypto'
import type { CloudEvent } from '@nexus/event-bus'
import type { Invocation, InvokeOptions } from './invoke-function.js'

/** What a function runs for that invokes another one. */
export interface InvokingDelivery {
  event: Pick<CloudEvent, 'id' | 'source'>
  replay: number
}

/** Invokes a function by name, as `FunctionHost.invoke` does. */
export type Invoke = (name: string, data: unknown, options: InvokeOptions) => Promise<Invocation>

/**
 * What `ctx.invoke` of one call does. A retry of the call that invokes the same function with the same data for the n-th time
 * gets the outcome of the first attempt: the function does not run again. A replay invokes it again.
 *
 * @param caller the function that calls
 * @param timeoutMs how long to wait; the call's own limit may end it earlier
 */
export function invokeFromFunction(
  invoke: Invoke,
  caller: string,
  { event, replay }: InvokingDelivery,
  timeoutMs: number | undefined,
): (name: string, data: unknown) => Promise<unknown> {
  const counts = new Map<string, number>()
  return async (name, data) => {
    const what = JSON.stringify([event.source, event.id, caller, replay, name, data])
    const n = (counts.get(what) ?? 0) + 1
    counts.set(what, n)
    const id = createHash('sha256').update(`${n}\0${what}`).digest('hex').slice(0, 32)
    const { status, value, error, suspension } = await invoke(name, data, {
      id,
      source: `/functions/${caller}`,
      timeoutMs,
    })
    if (status === 'succeeded') return value
    if (status === 'suspended') {
      const message = `function ${name} waits for ${suspension?.name}, which may take longer than a call; it goes on by itself`
      throw Object.assign(new Error(message), { code: 'SUSPENDED' })
    }
    throw Object.assign(new Error(error?.message ?? `function ${name} failed`), {
      name: error?.name ?? 'Error',
      code: error?.code,
    })
  }
}
