import { EventBusError } from '../../errors.js'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'
import { eventually } from '../harness/harness.js'

/** All that a log would show of a value, with the causes of errors: look for secrets in there. */
export function shownText(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? ''
  const details = value instanceof EventBusError ? value.details : undefined
  return [value.stack, JSON.stringify({ ...value, details }), shownText(value.cause)].join('\n')
}

/**
 * Publishes and handles an event, then takes the server away, where there is one; answers all that the bus showed
 * meanwhile: results, stats, errors, reasons.
 */
export async function everythingShown(
  openStore: () => EventStore,
  killServer?: () => Promise<void>,
): Promise<string> {
  const shown: unknown[] = []
  const bus = await EventBus.open({ store: openStore() })
  bus.on('error', (error) => shown.push(error))
  bus.on('disconnected', (reason) => shown.push(reason))
  const subscription = bus.subscribe('a', () => {}, { group: 'g', start: 'beginning' })
  await subscription.ready
  shown.push(await bus.publish({ type: 'a', id: 'x' }))
  await eventually('the event to be handled', async () => (await bus.getStats()).delivered === 1)
  shown.push(await bus.get('x'), await bus.getStats())
  if (killServer !== undefined) {
    await killServer()
    await eventually('a publish to fail', async () => {
      const failure = await bus.publish({ type: 'a' }).then(
        () => undefined,
        (error: unknown) => error,
      )
      shown.push(failure)
      return failure !== undefined
    })
    shown.push(await bus.getStats())
  }
  await bus.close({ drainTimeoutMs: 100 })
  return shown.map(shownText).join('\n')
}
