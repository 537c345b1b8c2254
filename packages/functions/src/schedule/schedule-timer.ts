import { type Clock, type EventBus, EventBusError } from '@nexus/event-bus'
import { Firings } from './firings.js'
import type { ResolvedSchedule } from './schedule.js'
import { firingEvent, settledUntil } from './schedule-events.js'

/** What timers of schedules work with. */
export interface ScheduleSetup {
  bus: EventBus
  clock: Clock
  /** A paused function misses its firings. */
  isPaused(name: string): boolean
}

/** The wall clock may be set at any moment: it is looked at again after this long at the latest. */
const LONGEST_WAIT_MS = 15_000
/** A firing that is later than this was missed. */
const MISSED_AFTER_MS = 60_000
/** The wait after a store did not take an event. */
const RETRY_MS = 1_000

/** Publishes the firings of one function. */
export class ScheduleTimer {
  readonly schedule: ResolvedSchedule
  readonly #name: string
  readonly #setup: ScheduleSetup
  readonly #firings: Firings
  /** Firings up to this time are done. */
  #doneMs: number
  #isPrepared: boolean
  #cancel = () => {}
  #working: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(name: string, schedule: ResolvedSchedule, setup: ScheduleSetup) {
    this.schedule = schedule
    this.#name = name
    this.#setup = setup
    this.#firings = new Firings(schedule)
    this.#doneMs = setup.clock.now()
    // What was missed before the start is skipped without asking for it.
    this.#isPrepared = schedule.missed === 'skip'
    this.#run()
  }

  /** When it fires next; undefined when it never does again. */
  get nextAt(): Date | undefined {
    const at = this.#firings.after(this.#setup.clock.now())
    return at === undefined ? undefined : new Date(at)
  }

  /** Fires no more, once an event that is on its way is stored. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#working
  }

  #run(): void {
    this.#working = this.#fireDue().then(
      (waitMs) => this.#wait(waitMs),
      (error: unknown) => {
        // The bus is closed before its host: nothing can be stored any more.
        if (error instanceof EventBusError && error.code === 'CLOSED') return
        this.#setup.bus.emit('error', error)
        this.#wait(RETRY_MS)
      },
    )
  }

  #wait(ms: number): void {
    if (this.#stopped) return
    this.#cancel = this.#setup.clock.schedule(() => this.#run(), ms)
  }

  /** Publishes what is due, and answers for how long to wait then. */
  async #fireDue(): Promise<number> {
    const { bus, clock } = this.#setup
    if (!this.#isPrepared) {
      this.#doneMs = await settledUntil(bus, this.#name, this.schedule, this.#doneMs)
      this.#isPrepared = true
    }
    if (this.#setup.isPaused(this.#name)) return LONGEST_WAIT_MS
    const nowMs = clock.now()
    // The clock was set back: what fires again has an id that is known.
    this.#doneMs = Math.min(this.#doneMs, nowMs)
    for (const { atMs, missed } of this.#due(nowMs)) {
      await bus.publish(firingEvent(this.#name, this.schedule, atMs, missed))
      this.#doneMs = atMs
      if (this.#stopped) return 0
    }
    this.#doneMs = nowMs
    const next = this.#firings.after(nowMs) ?? Number.POSITIVE_INFINITY
    return Math.max(0, Math.min(next - clock.now(), LONGEST_WAIT_MS))
  }

  #due(nowMs: number): { atMs: number; missed: boolean }[] {
    const { missed: policy, maxMissed } = this.schedule
    const punctualMs = nowMs - MISSED_AFTER_MS
    const all = this.#firings.between(this.#doneMs, nowMs, maxMissed + MISSED_AFTER_MS / 1000)
    const late = all.filter((atMs) => atMs < punctualMs)
    const caughtUp = { skip: 0, once: 1, all: maxMissed }[policy]
    return [
      ...(caughtUp === 0 ? [] : late.slice(-caughtUp)).map((atMs) => ({ atMs, missed: true })),
      ...all.filter((atMs) => atMs >= punctualMs).map((atMs) => ({ atMs, missed: false })),
    ]
  }
}
