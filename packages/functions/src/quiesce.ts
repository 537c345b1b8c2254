import { setTimeout as delay } from 'node:timers/promises'
import type { Subscription } from '@nexus/event-bus'
import { FunctionsError } from './errors.js'

/** How often calls under way are counted. */
const LOOK_EVERY_MS = 10

/**
 * Does something in a moment in which no function runs: nothing new is taken until then, and what was claimed and not started
 * waits with claims that were renewed.
 *
 * @param subscriptions those that take events now
 * @param work does its part before it returns: until then no function starts
 * @throws FunctionsError `FUNCTIONS_BUSY` when calls do not end within `drainTimeoutMs`
 */
export async function quiesce<T>(
  subscriptions: readonly Subscription[],
  work: () => T,
  drainTimeoutMs: number,
): Promise<T> {
  const running = () => subscriptions.reduce((sum, one) => sum + one.getStats().running, 0)
  for (const subscription of subscriptions) subscription.pause()
  try {
    const deadline = performance.now() + drainTimeoutMs
    while (running() > 0) {
      if (performance.now() >= deadline) {
        const message = `${running()} calls of functions did not end within ${drainTimeoutMs} ms; try again when fewer run`
        throw new FunctionsError('FUNCTIONS_BUSY', message)
      }
      await delay(LOOK_EVERY_MS)
    }
    return work()
  } finally {
    for (const subscription of subscriptions) subscription.resume()
  }
}
