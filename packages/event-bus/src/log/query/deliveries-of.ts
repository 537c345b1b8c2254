import { matchesPattern } from '../../event/pattern.js'
import { toDelivery, toFirstDelivery } from '../../store/backend/delivery-state.js'
import type { Delivery, EventDetails } from '../../store/stored-event.js'
import type { LogGroup } from '../group/log-group.js'
import type { LogEngine, LogRecord } from '../log-engine.js'
import { toStoredEvent } from './to-stored-event.js'
import { LAST_STRING } from './value-index.js'

/** The group of this name, while a consumer has it open. */
export type GroupOf = (name: string) => LogGroup | undefined

/** An event with what each group did with it. */
export function describeEvent(
  engine: LogEngine,
  record: LogRecord,
  groupOf: GroupOf,
): EventDetails {
  return { ...toStoredEvent(record), deliveries: deliveriesOf(engine, record, groupOf) }
}

/** What each group did with an event, by the names of the groups. */
export function deliveriesOf(engine: LogEngine, record: LogRecord, groupOf: GroupOf): Delivery[] {
  const { sequence, type } = record
  const isRunning = (group: string): boolean => groupOf(group)?.isRunning(sequence) === true
  const deliveries = new Map<string, Delivery>()
  for (const { key, value } of engine.range('deliveries', {
    start: [sequence, ''],
    end: [sequence, LAST_STRING],
  })) {
    deliveries.set(key[1], toDelivery(key[1], value, isRunning(key[1])))
  }
  const publishedAt = new Date(record.publishedAtMs).toISOString()
  for (const { key: group, value } of engine.range('groups', { start: '', end: LAST_STRING })) {
    if (deliveries.has(group) || sequence <= value.startAfter) continue
    if (!value.patterns.some((pattern) => matchesPattern(pattern, type))) continue
    deliveries.set(group, toFirstDelivery(group, publishedAt, isRunning(group)))
  }
  return [...deliveries.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
}
