import assert from 'node:assert/strict'
import { EventBus } from '../event-bus.js'
import { conformanceCases } from './cases/conformance-cases.js'
import { keepsClaimsOfABusyLoop } from './faults/busy-loop.js'
import { endsDeadlyEvents } from './faults/deadly-handler.js'
import { killRounds } from './faults/kill-rounds.js'
import { surviveNetworkFaults } from './faults/network-faults.js'
import { everythingShown, shownText } from './faults/secret-leak-check.js'
import type { ConformanceHarness, Storage } from './harness/harness.js'
import type {
  SecretPlan,
  StartedBackend,
  StoreBackend,
  TestRunner,
  WorkerBundle,
} from './store-backend.js'

const FAULTS_TIMEOUT = { timeout: 3_600_000 }
const CASE_TIMEOUT = { timeout: 120_000 }
/** Faults of a run that says nothing else in `NEXUS_FAULTS`. */
const USUAL_FAULTS = 10
/** Longer than a claim of the kill rounds lasts. */
const FREEZE_MS = 3_000

/**
 * Runs every test of the suite on a backend: the promises of `conformanceCases`; with a worker program kill rounds, events
 * that kill their process and, on a server, handlers that block the event loop; on a server network faults; and that
 * secrets are not shown. `NEXUS_FAULTS` says how many faults the kill rounds inject, `NEXUS_FAULTS_SEED` where their random
 * choices begin.
 *
 * @example
 * ```ts
 * import { describeStore } from '@nexus/event-bus/conformance'
 * import { afterAll, describe, it } from 'vitest'
 *
 * describeStore(
 *   {
 *     name: 'the memory store',
 *     persistent: false,
 *     shared: false,
 *     start: async () => ({
 *       createStorage: async () => ({ openStore: memoryStore, dispose: async () => {} }),
 *       stop: async () => {},
 *     }),
 *   },
 *   { afterAll, describe, it },
 * )
 * ```
 */
export function describeStore(backend: StoreBackend, runner: TestRunner): void {
  const { describe, it } = runner
  describe(backend.name, () => {
    describePromises(backend, runner)
    if (backend.worker !== undefined) describeWorkers(backend, backend.worker, runner)
    if (backend.networkFaultMs !== undefined) {
      const faultMs = backend.networkFaultMs
      it('survives a network that stalls, drops and resets', FAULTS_TIMEOUT, () =>
        withStarted(backend, async ({ server }) => {
          assert.ok(server !== undefined, 'networkFaultMs: expected a backend with a server')
          const openStore = (port: number) => server.openStoreAt(port)
          await surviveNetworkFaults({ port: server.port, faultMs, openStore })
        }),
      )
    }
    for (const plan of backend.secrets ?? []) {
      it(`shows no secret: ${plan.name}`, CASE_TIMEOUT, () => showsNoSecret(plan))
    }
  })
}

function describePromises(backend: StoreBackend, { it, afterAll }: TestRunner): void {
  let started: Promise<StartedBackend> | undefined
  const harness: ConformanceHarness = {
    persistent: backend.persistent,
    shared: backend.shared,
    createStorage: async () => {
      started ??= backend.start()
      return (await started).createStorage()
    },
  }
  for (const { name, run } of conformanceCases) it(name, CASE_TIMEOUT, () => run(harness))
  afterAll(async () => {
    await (await started)?.stop()
  })
}

function describeWorkers(
  backend: StoreBackend,
  bundle: () => Promise<WorkerBundle>,
  { it }: TestRunner,
): void {
  const faults = Number(process.env.NEXUS_FAULTS ?? USUAL_FAULTS)
  const seed = Number(process.env.NEXUS_FAULTS_SEED ?? Date.now() % 1_000_000)
  it(`loses nothing that was acked under ${faults} faults (seed ${seed})`, FAULTS_TIMEOUT, () =>
    withWorker(backend, bundle, async ({ started, storage, worker }) => {
      const report = await killRounds({
        faults,
        seed,
        ...worker,
        workers: backend.shared ? 2 : 1,
        server: started.server,
        freezeMs: backend.shared ? FREEZE_MS : undefined,
        openStore: () => storage.openStore(),
      })
      console.log(`${backend.name}: ${JSON.stringify(report)}`)
      assert.ok(report.acked > 0 && report.delayed > 0, 'nothing was published')
    }),
  )
  for (const ordered of [false, true]) {
    const kind = ordered ? 'with an ordering key' : 'without order'
    it(`ends an event that kills its process as a dead letter, ${kind}`, CASE_TIMEOUT, () =>
      withWorker(backend, bundle, ({ storage, worker }) =>
        endsDeadlyEvents({ ...worker, ordered, openStore: () => storage.openStore() }),
      ),
    )
    if (!backend.shared) continue
    it(`keeps the claim of a handler that blocks the event loop, ${kind}`, CASE_TIMEOUT, () =>
      withWorker(backend, bundle, ({ storage, worker }) =>
        keepsClaimsOfABusyLoop({ ...worker, ordered, openStore: () => storage.openStore() }),
      ),
    )
  }
}

async function showsNoSecret({ start }: SecretPlan): Promise<void> {
  const { secrets, openStore, openRefused, kill, stop } = await start()
  try {
    let shown = ''
    if (openRefused !== undefined) {
      const refusal: unknown = await EventBus.open({ store: openRefused() }).then(
        () => assert.fail('a store that should be refused was opened'),
        (error: unknown) => error,
      )
      shown += shownText(refusal)
    }
    shown += await everythingShown(openStore, kill)
    for (const secret of secrets) assert.ok(!shown.includes(secret), 'a secret was shown')
  } finally {
    await stop()
  }
}

/** A backend of the case's own, which may break it. */
async function withStarted(
  backend: StoreBackend,
  body: (started: StartedBackend) => Promise<void>,
): Promise<void> {
  const started = await backend.start()
  try {
    await body(started)
  } finally {
    await started.stop()
  }
}

/** A backend of the case's own, with a place and a program that finds it. */
async function withWorker(
  backend: StoreBackend,
  build: () => Promise<WorkerBundle>,
  body: (parts: {
    started: StartedBackend
    storage: Storage
    worker: Pick<WorkerBundle, 'workerFile' | 'directory'> & Pick<Storage, 'environment'>
  }) => Promise<void>,
): Promise<void> {
  const { workerFile, directory, remove } = await build()
  try {
    await withStarted(backend, async (started) => {
      const storage = await started.createStorage()
      const { environment } = storage
      await body({ started, storage, worker: { workerFile, directory, environment } })
      await storage.dispose()
    })
  } finally {
    remove()
  }
}
