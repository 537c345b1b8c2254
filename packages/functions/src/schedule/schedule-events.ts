import { createHash } from 'node:crypto'
import type { EventBus, EventInput } from '@nexus/event-bus'
import type { ResolvedSchedule } from './schedule.js'

/** `source` of the events of schedules. */
const SOURCE = '/schedules'

/** The type of the events by which a schedule runs its function. */
export function firingType(name: string): string {
  return `nexus.schedule.${name}`
}

/** The type of the events that say which schedule a function has from then on. */
function settingType(name: string): string {
  return `nexus.schedule-set.${name}`
}

/** One firing. Its id follows from function and time: whichever runtime publishes it, it is stored once. */
export function firingEvent(
  name: string,
  { cron, timeZone }: ResolvedSchedule,
  atMs: number,
  missed: boolean,
): EventInput {
  const scheduledAt = new Date(atMs).toISOString()
  return {
    type: firingType(name),
    source: SOURCE,
    id: `${name}@${scheduledAt}`,
    time: scheduledAt,
    data: { scheduledAt, cron, timeZone, missed },
  }
}

/**
 * The time up to which the firings of a schedule are done, in epoch milliseconds: that of its last firing, or of the moment at
 * which the function got this schedule. The second is an event, published when it is not the schedule that was stored last.
 *
 * @param schedule undefined where the function has none any more
 * @throws EventBusError when the store cannot say
 */
export async function settledUntil(
  bus: EventBus,
  name: string,
  schedule: ResolvedSchedule | undefined,
  nowMs: number,
): Promise<number> {
  const [setting] = (await bus.list({ type: settingType(name), limit: 1 })).events
  const data = schedule ? { cron: schedule.cron, timeZone: schedule.timeZone } : null
  const text = JSON.stringify(data)
  if (setting === undefined || JSON.stringify(setting.event.data) !== text) {
    // Runtimes that find the same setting before theirs make the same event.
    const after = setting?.event.id ?? ''
    const id = createHash('sha256').update(`${name}\0${after}\0${text}`).digest('hex').slice(0, 32)
    const time = new Date(nowMs).toISOString()
    await bus.publish({ type: settingType(name), source: SOURCE, id, time, data })
    return nowMs
  }
  const [last] = (await bus.list({ type: firingType(name), limit: 1 })).events
  const firedMs = Date.parse(last?.event.time ?? '')
  const setMs = Date.parse(setting.event.time)
  // A clock that was wrong may have left times that are still to come.
  return Math.min(nowMs, Math.max(setMs, Number.isNaN(firedMs) ? 0 : firedMs))
}
