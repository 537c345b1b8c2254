import type { EventBus } from '@nexus/event-bus'

/** Whether the bus can be used now. */
export interface BusConnection {
  backend: string
  connected: boolean
}

/** Knows without asking whether the server of the bus is there. */
export class BusMonitor {
  readonly #backend: string
  #connected: boolean

  private constructor(bus: EventBus, { backend, connected }: BusConnection, onLost: OnLost) {
    this.#backend = backend
    this.#connected = connected
    bus.on('connected', () => {
      this.#connected = true
    })
    bus.on('disconnected', (reason) => {
      if (this.#connected) onLost(reason)
      this.#connected = false
    })
  }

  /** @param onLost hears once of each time that the server went away */
  static async start(bus: EventBus, onLost: OnLost): Promise<BusMonitor> {
    const { store } = await bus.getStats()
    return new BusMonitor(bus, store, onLost)
  }

  get connection(): BusConnection {
    return { backend: this.#backend, connected: this.#connected }
  }
}

type OnLost = (reason: string) => void
