import { EventBus } from '../../event-bus.js'
import { eventually } from '../harness/harness.js'
import type { BackendServer } from '../store-backend.js'

/** One promise of a store on a server, and the test of it, which has the server for itself. */
export interface ServerCase {
  /** The promise, as a sentence. */
  name: string
  /** It keeps the event loop busy, or must not be disturbed. @default false */
  alone?: boolean
  /** Rejects with an AssertionError when the store does not keep it. */
  run(server: BackendServer): Promise<void>
}

/** A case with buses that are closed at its end; without a port a bus reaches the server directly. */
export function withServer(
  name: string,
  body: (open: (port?: number) => Promise<EventBus>, server: BackendServer) => Promise<void>,
): ServerCase {
  return {
    name,
    run: async (server) => {
      const buses: EventBus[] = []
      try {
        await body(async (port = server.port) => {
          let bus: EventBus | undefined
          // On a busy machine an answer may take longer than these stores wait.
          await eventually('the bus to open', async () => {
            bus = await EventBus.open({ store: server.openStoreAt(port) }).catch(() => undefined)
            return bus !== undefined
          })
          buses.push(bus!)
          return bus!
        }, server)
      } finally {
        await Promise.all(buses.map((bus) => bus.close({ drainTimeoutMs: 100 })))
      }
    },
  }
}

/** The same, for a case that keeps the event loop busy. */
export function alone(...given: Parameters<typeof withServer>): ServerCase {
  return { ...withServer(...given), alone: true }
}
