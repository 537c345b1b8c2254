import type { EventStore } from '../../store/event-store.js'
import { runOtherConsumer } from './busy-loop.js'
import { runDeadlyHandler } from './deadly-handler.js'
import { runFrozenOwner } from './frozen-owner.js'
import { runLonelyClose } from './lonely-close.js'
import { runFaultWorker } from './rounds/fault-worker.js'

const JOBS: Readonly<Record<string, (openStore: () => EventStore) => Promise<void>>> = {
  faults: runFaultWorker,
  busy: runOtherConsumer,
  deadly: runDeadlyHandler,
  frozen: runFrozenOwner,
  lonely: runLonelyClose,
}

/**
 * What the processes run that the suite starts beside the test: a program of the backend calls it with its stores, which it
 * finds by the environment that its `Storage` says.
 *
 * @example
 * ```ts
 * void runStoreWorker(() => localStore({ path: process.env.STORE_PATH! }))
 * ```
 */
export async function runStoreWorker(openStore: () => EventStore): Promise<void> {
  const { STORE_JOB: job = '' } = process.env
  const run = JOBS[job]
  if (run === undefined) {
    throw new Error(`STORE_JOB: expected ${Object.keys(JOBS).join(', ')}, got ${job}`)
  }
  // A test that was ended leaves no worker behind, which would load the machine for the next one.
  process.once('disconnect', () => process.exit(1))
  await run(openStore)
}
