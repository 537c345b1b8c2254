import { isDeepStrictEqual } from 'node:util'
import type { ResolvedSchedule } from './schedule.js'
import { settledUntil } from './schedule-events.js'
import { type ScheduleSetup, ScheduleTimer } from './schedule-timer.js'

/** The schedules of the functions of a host. */
export class Scheduler {
  readonly #setup: ScheduleSetup
  readonly #timers = new Map<string, ScheduleTimer>()

  constructor(setup: ScheduleSetup) {
    this.#setup = setup
  }

  /** Makes exactly these the schedules that fire, by function; one that stays as it was goes on. */
  async set(schedules: ReadonlyMap<string, ResolvedSchedule>): Promise<void> {
    const before = new Map(this.#timers)
    const changed = [...before].filter(
      ([name, { schedule }]) => !isDeepStrictEqual(schedule, schedules.get(name)),
    )
    for (const [name] of changed) this.#timers.delete(name)
    await Promise.all(changed.map(([, timer]) => timer.stop()))
    for (const [name, timer] of changed) if (!schedules.has(name)) await this.#removed(name, timer)
    for (const [name, schedule] of schedules) {
      if (this.#timers.has(name)) continue
      this.#timers.set(name, new ScheduleTimer(name, schedule, this.#setup))
    }
  }

  /** When the function's schedule fires next. */
  nextAt(name: string): Date | undefined {
    return this.#timers.get(name)?.nextAt
  }

  /** Fires no more, once events that are on their way are stored. */
  async close(): Promise<void> {
    const timers = [...this.#timers.values()]
    this.#timers.clear()
    await Promise.all(timers.map((timer) => timer.stop()))
  }

  /** What would have fired while the function had no schedule is not missed when it has one again. */
  async #removed(name: string, { schedule }: ScheduleTimer): Promise<void> {
    if (schedule.missed === 'skip') return
    const { bus, clock } = this.#setup
    try {
      await settledUntil(bus, name, undefined, clock.now())
    } catch (error) {
      bus.emit('error', error)
    }
  }
}
