import type { EventBus } from '@nexus/event-bus'

/** Whether the bus can be used now. */
export interface BusConnection {
  backend: string
  connected: boolean
}

/** Knows without asking whether the server of the bus is there. */
export class BusMonitor {
  readonly #bus: EventBus
  #connection: BusConnection = { backend: 'unknown', connected: false }

  /** @param onLost is told once of each time that the server went away */
  constructor(bus: EventBus, onLost: (reason: string) => void) {
    this.#bus = bus
    bus.on('connected', () => this.#set(true))
    bus.on('disconnected', (reason) => {
      if (this.#connection.connected) onLost(reason)
      this.#set(false)
    })
  }

  /** Asks once how things are. */
  async start(): Promise<void> {
    const { backend, connected } = (await this.#bus.getStats()).store
    this.#connection = { backend, connected }
  }

  get connection(): BusConnection {
    return this.#connection
  }

  #set(connected: boolean): void {
    this.#connection = { ...this.#connection, connected }
  }
}
