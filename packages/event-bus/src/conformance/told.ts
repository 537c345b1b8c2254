import { EventBusError } from '../errors.js'
import { EventBus } from '../event-bus.js'
import type { EventStore } from '../store/event-store.js'
import { eventually } from './harness.js'

/** All that a log would show of a value, with the causes of errors: look for secrets in there. */
export function tell(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? ''
  const details = value instanceof EventBusError ? value.details : undefined
  return [value.stack, JSON.stringify({ ...value, details }), tell(value.cause)].join('\n')
}

/**
 * Publishes and handles an event, then takes the server away; answers all that the bus told meanwhile:
 * results, stats, errors, reasons.
 */
export async function everythingTold(
  openStore: () => EventStore,
  killServer: () => Promise<void>,
): Promise<string> {
  const told: unknown[] = []
  const bus = await EventBus.open({ store: openStore() })
  bus.on('error', (error) => told.push(error))
  bus.on('disconnected', (reason) => told.push(reason))
  const subscription = bus.subscribe('a', () => {}, { group: 'g', start: 'beginning' })
  await subscription.ready
  told.push(await bus.publish({ type: 'a', id: 'x' }))
  await eventually('the event to be handled', async () => (await bus.getStats()).delivered === 1)
  told.push(await bus.get('x'), await bus.getStats())
  await killServer()
  await eventually('a publish to fail', async () => {
    const failure = await bus.publish({ type: 'a' }).then(
      () => undefined,
      (error: unknown) => error,
    )
    told.push(failure)
    return failure !== undefined
  })
  told.push(await bus.getStats())
  await bus.close({ drainTimeoutMs: 100 })
  return told.map(tell).join('\n')
}
