import { type EventBus, EventBusError, type EventBusStats } from '@nexus/event-bus'

/** Whether the bus can be used now. */
export interface BusConnection {
  backend: string
  connected: boolean
}

/** What is known of the bus, also while its server is away: then the last figures it gave. */
export class BusMonitor {
  readonly #bus: EventBus
  #last: EventBusStats
  #connected: boolean

  private constructor(bus: EventBus, stats: EventBusStats, onLost: (reason: string) => void) {
    this.#bus = bus
    this.#last = stats
    this.#connected = stats.store.connected
    bus.on('connected', () => {
      this.#connected = true
    })
    bus.on('disconnected', (reason) => {
      if (this.#connected) onLost(reason)
      this.#connected = false
    })
  }

  /** @param onLost hears once of each time that the server went away */
  static async start(bus: EventBus, onLost: (reason: string) => void): Promise<BusMonitor> {
    return new BusMonitor(bus, await bus.getStats(), onLost)
  }

  get connection(): BusConnection {
    return { backend: this.#last.store.backend, connected: this.#connected }
  }

  /** The figures now. A server that is away is not waited for. */
  async getStats(): Promise<EventBusStats> {
    if (this.#connected) {
      try {
        this.#last = await this.#bus.getStats()
        return this.#last
      } catch (error) {
        if (!(error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE')) throw error
      }
    }
    return { ...this.#last, store: { ...this.#last.store, connected: false } }
  }
}
