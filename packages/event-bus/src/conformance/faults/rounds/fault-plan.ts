import type { EventStore } from '../../../store/event-store.js'
import type { BackendServer } from '../../store-backend.js'
import type { WorkerProgram } from '../worker-program.js'

/** What the fault rounds need of a backend. */
export interface FaultPlan extends WorkerProgram {
  /** How many faults to inject. */
  faults: number
  /** Decides which ones, and when. */
  seed: number
  /** Empty directory for the processes' notes. */
  directory: string
  /** Several processes may work on one place at once. */
  shared: boolean
  /** The server, which the processes reach through a network that fails. @default the backend has none */
  server?: BackendServer | undefined
  /** Opens a store on the place that the processes use. */
  openStore(): EventStore
  /** Hears now and then how far it is. */
  onProgress?(done: number): void
}
