import assert from 'node:assert/strict'
import { EventBus } from '../event-bus.js'
import { conformanceCases } from './cases/conformance-cases.js'
import { keepsClaimsOfABusyLoop } from './faults/busy-loop.js'
import { endsDeadlyEvents } from './faults/deadly-handler.js'
import { letsAFrozenOwnerStartNothing } from './faults/frozen-owner.js'
import { closesWithNothingElseAlive } from './faults/lonely-close.js'
import { surviveNetworkFaults } from './faults/network-faults.js'
import { faultRounds } from './faults/rounds/fault-rounds.js'
import { everythingShown, shownText } from './faults/secret-leak-check.js'
import type { ConformanceHarness, Storage } from './harness/harness.js'
import { emptiedServerCases } from './server-cases/emptied-server-cases.js'
import { joiningCases } from './server-cases/joining-cases.js'
import { listenerCases } from './server-cases/listener-cases.js'
import type {
  BackendServer,
  SecretPlan,
  StartedBackend,
  StoreBackend,
  TestRunner,
  WorkerBundle,
} from './store-backend.js'

/** Tests wait far more than they work, so they run beside each other, but for those that would disturb the others. */
const CASE = { timeout: 120_000, concurrent: true }
const SERVER_CASE = { timeout: 240_000, concurrent: true }
const FAULTS = { timeout: 3_600_000, concurrent: true }
const CASE_ALONE = { timeout: 240_000 }
const serverCases = [...emptiedServerCases, ...joiningCases, ...listenerCases]
/** Faults of a run that says nothing else in `NEXUS_FAULTS`. */
const USUAL_FAULTS = 12

/**
 * Runs every test of the suite on a backend: the promises of `conformanceCases`; with a worker program fault rounds, events
 * that kill their process and, on a server, handlers that block the event loop and owners that are frozen; on a server network
 * faults, losses of all it had, and many connections; and that secrets are not shown. `NEXUS_FAULTS` says how many faults the
 * rounds inject, `NEXUS_FAULTS_SEED` where their random choices begin.
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
      it('survives a network that stalls, drops and resets', FAULTS, () =>
        withServer(backend, async (server) => {
          const openStore = (port: number) => server.openStoreAt(port)
          await surviveNetworkFaults({ port: server.port, faultMs, openStore })
        }),
      )
      for (const { name, run } of serverCases.filter(({ alone }) => !alone)) {
        it(name, SERVER_CASE, () => withServer(backend, run))
      }
    }
    for (const plan of backend.secrets ?? []) {
      it(`shows no secret: ${plan.name}`, CASE, () => showsNoSecret(plan))
    }
    describeDisturbing(backend, runner)
  })
}

/** Tests that keep the event loop busy, or listen for what any other one might do to the process. */
function describeDisturbing(backend: StoreBackend, { it }: TestRunner): void {
  const { worker, shared, networkFaultMs } = backend
  if (worker !== undefined && shared) {
    for (const ordered of [false, true]) {
      const kind = ordered ? 'with an ordering key' : 'without order'
      it(`keeps the claim of a handler that blocks the event loop, ${kind}`, CASE_ALONE, () =>
        withWorker(backend, worker, ({ storage, worker }) =>
          keepsClaimsOfABusyLoop({ ...worker, ordered, openStore: () => storage.openStore() }),
        ),
      )
    }
  }
  if (networkFaultMs === undefined) return
  for (const { name, run } of serverCases.filter(({ alone }) => alone)) {
    it(name, CASE_ALONE, () => withServer(backend, run))
  }
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
  for (const { name, run } of conformanceCases) it(name, CASE, () => run(harness))
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
  it(`accounts for every event under ${faults} faults (seed ${seed})`, FAULTS, () =>
    withWorker(backend, bundle, async ({ started: { server }, storage, worker }) => {
      const report = await faultRounds({
        faults,
        seed,
        ...worker,
        shared: backend.shared,
        server,
        openStore: () => server?.openStoreAt(server.port) ?? storage.openStore(),
        onProgress: (done) => console.log(`${backend.name}: ${done} faults`),
      })
      console.log(`${backend.name}: ${JSON.stringify(report)}`)
      assert.ok(report.acked > 0, 'nothing was published')
    }),
  )
  for (const ordered of [false, true]) {
    const kind = ordered ? 'with an ordering key' : 'without order'
    it(`ends an event that kills its process as a dead letter, ${kind}`, CASE, () =>
      withWorker(backend, bundle, ({ storage, worker }) =>
        endsDeadlyEvents({ ...worker, ordered, openStore: () => storage.openStore() }),
      ),
    )
  }
  if (!backend.shared) return
  it('lets the frozen owner of an ordered group start nothing of its successor', CASE, () =>
    withWorker(backend, bundle, ({ storage, worker }) =>
      letsAFrozenOwnerStartNothing({ ...worker, openStore: () => storage.openStore() }),
    ),
  )
  it('closes in a process that has nothing else to do', CASE, () =>
    withWorker(backend, bundle, async ({ started: { server }, worker }) => {
      if (server !== undefined) await closesWithNothingElseAlive({ ...worker, server })
    }),
  )
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

/** A server of the case's own. */
function withServer(
  backend: StoreBackend,
  body: (server: BackendServer) => Promise<void>,
): Promise<void> {
  return withStarted(backend, async ({ server }) => {
    assert.ok(server !== undefined, 'networkFaultMs: expected a backend with a server')
    await body(server)
  })
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
