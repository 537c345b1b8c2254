export { conformanceCases } from './cases/conformance-cases.js'
export { describeStore } from './describe-store.js'
export {
  type BusyLoopPlan,
  keepsClaimsOfABusyLoop,
  runOtherConsumer,
} from './faults/busy-loop.js'
export { type DeadlyHandlerPlan, endsDeadlyEvents } from './faults/deadly-handler.js'
export type { FaultKind, FaultReport } from './faults/fault-ledger.js'
export { FaultProxy } from './faults/fault-proxy.js'
export { type KillPlan, type KillReport, killRounds } from './faults/kill-rounds.js'
export { runKillWorker } from './faults/kill-worker.js'
export { type NetworkFaultPlan, surviveNetworkFaults } from './faults/network-faults.js'
export { everythingShown, shownText } from './faults/secret-leak-check.js'
export { runStoreWorker } from './faults/store-worker.js'
export type { WorkerProgram } from './faults/worker-process.js'
export type {
  ConformanceCase,
  ConformanceHarness,
  Storage,
  StoreOptions,
} from './harness/harness.js'
export type { EventLedger } from './server-faults/event-ledger.js'
export {
  type ServerFaultPlan,
  type ServerFaultReport,
  serverFaultRounds,
} from './server-faults/fault-rounds.js'
export { type FaultWorkerEnvironment, runFaultWorker } from './server-faults/fault-worker.js'
export type {
  BackendServer,
  SecretPlan,
  StartedBackend,
  StoreBackend,
  TestRunner,
  WorkerBundle,
} from './store-backend.js'
