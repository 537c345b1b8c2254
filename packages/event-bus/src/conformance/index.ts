export { conformanceCases } from './cases/conformance-cases.js'
export { describeStore } from './describe-store.js'
export {
  type BusyLoopPlan,
  keepsClaimsOfABusyLoop,
  runOtherConsumer,
} from './faults/busy-loop.js'
export { type DeadlyHandlerPlan, endsDeadlyEvents } from './faults/deadly-handler.js'
export { FaultProxy } from './faults/fault-proxy.js'
export { type NetworkFaultPlan, surviveNetworkFaults } from './faults/network-faults.js'
export type { EventLedger } from './faults/rounds/event-ledger.js'
export type { FaultPlan } from './faults/rounds/fault-plan.js'
export { type FaultReport, faultRounds } from './faults/rounds/fault-rounds.js'
export { everythingShown, shownText } from './faults/secret-leak-check.js'
export { runStoreWorker } from './faults/store-worker.js'
export type { WorkerProgram } from './faults/worker-program.js'
export type {
  ConformanceCase,
  ConformanceHarness,
  Storage,
  StoreOptions,
} from './harness/harness.js'
export type {
  BackendServer,
  SecretPlan,
  StartedBackend,
  StoreBackend,
  TestRunner,
  WorkerBundle,
} from './store-backend.js'
