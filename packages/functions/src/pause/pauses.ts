import { isDeepStrictEqual } from 'node:util'
import { type Clock, type EventBus, EventBusError } from '@nexus/event-bus'
import type { FunctionPause, FunctionPauseChange } from './function-pause.js'

/** What {@link Pauses} work with. */
export interface PausesHost {
  bus: EventBus
  clock: Clock
  /** Hears of each change, also of those that other processes made. */
  onChange(changes: readonly FunctionPauseChange[]): void
}

/** Where the processes of a bus keep which functions are paused. */
const KEY = 'paused-functions'
/** How soon a process hears of what another one changed. */
const LOOK_EVERY_MS = 1_000

type Paused = { [name: string]: FunctionPause }

/** Which functions are paused: kept by the bus, so that all its processes agree, also after a restart. */
export class Pauses {
  readonly #host: PausesHost
  #paused: Paused = {}
  #isKnown = false
  #cancel = () => {}
  #closed = false

  constructor(host: PausesHost) {
    this.#host = host
  }

  /** The pause of a function; undefined while it runs. */
  get(name: string): FunctionPause | undefined {
    return Object.hasOwn(this.#paused, name) ? this.#paused[name] : undefined
  }

  /** Reads them for the first time; a server that is away is waited for. Goes on to look for changes until `close`. */
  async load(): Promise<void> {
    while (!this.#isKnown && !this.#closed) {
      try {
        await this.#look()
      } catch (error) {
        const isAway = error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE'
        if (!isAway) throw error
        await new Promise<void>((resolve) => {
          const cancel = this.#host.clock.schedule(resolve, LOOK_EVERY_MS)
          this.#cancel = () => {
            cancel()
            resolve()
          }
        })
      }
    }
  }

  /** Changes the pause of a function; resolves once that is stored. */
  async set(name: string, pause: FunctionPause | undefined): Promise<void> {
    const stored = await this.#host.bus.shared.update(KEY, (value) => {
      const { [name]: before, ...others } = pausedOf(value)
      // Asked for again, it goes on as it was.
      if ((before === undefined) === (pause === undefined)) return value
      return pause === undefined ? others : { ...others, [name]: pause }
    })
    this.#take(pausedOf(stored))
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { shared } = this.#host.bus
    const stored = await shared.get(KEY)
    const wasLost = stored === undefined && Object.keys(this.#paused).length > 0
    // A server that came back empty does not resume what was paused.
    const value = wasLost ? await shared.update(KEY, (found) => found ?? this.#paused) : stored
    this.#take(pausedOf(value))
    if (!this.#isKnown) this.#lookAgainLater()
    this.#isKnown = true
  }

  #lookAgainLater(): void {
    const { bus, clock } = this.#host
    if (this.#closed || !bus.isShared) return
    this.#cancel = clock.schedule(() => {
      this.#look()
        .catch((error: unknown) => {
          if (!this.#closed) bus.emit('error', error)
        })
        .finally(() => this.#lookAgainLater())
    }, LOOK_EVERY_MS)
  }

  #take(paused: Paused): void {
    if (this.#closed) return
    const before = this.#paused
    this.#paused = paused
    const names = new Set([...Object.keys(before), ...Object.keys(paused)])
    const changes = [...names]
      .filter((name) => !isDeepStrictEqual(before[name], paused[name]))
      .map((name) => ({ function: name, ...(paused[name] && { paused: paused[name] }) }))
    if (changes.length > 0) this.#host.onChange(changes)
  }
}

function pausedOf(value: unknown): Paused {
  return (value ?? {}) as Paused
}
