import { deadLetterCases } from './dead-letter-cases.js'
import { deliveryCases } from './delivery-cases.js'
import type { ConformanceCase } from './harness.js'
import { overlapCases } from './overlap-cases.js'
import { promiseCases as narrowCases } from './promise-cases.js'
import { publishCases } from './publish-cases.js'
import { queryCases } from './query-cases.js'
import { recoveryCases } from './recovery-cases.js'
import { retentionCases } from './retention-cases.js'

export {
  type BusyLoopPlan,
  keepsClaimsOfABusyLoop,
  runOtherConsumer,
} from './busy-loop.js'
export type { ConformanceCase, ConformanceHarness, Storage, StoreOptions } from './harness.js'
export { type KillPlan, type KillReport, killRounds } from './kill-rounds.js'
export { KILL_CONCURRENCY, type KillWorkerEnvironment, runKillWorker } from './kill-worker.js'
export { type NetworkFaultPlan, surviveNetworkFaults } from './network-faults.js'
export {
  type ServerKillCase,
  type ServerKillPlan,
  serverKillCases,
} from './server-kill-cases.js'
export { everythingTold, tell } from './told.js'

/**
 * The promises of the bus, one test each: `for (const { name, run } of conformanceCases) it(name, () => run(harness))`
 * in any test runner. A case throws an AssertionError when the store does not keep the promise.
 */
export const conformanceCases: readonly ConformanceCase[] = [
  ...publishCases,
  ...queryCases,
  ...deliveryCases,
  ...deadLetterCases,
  ...recoveryCases,
  ...retentionCases,
]

/**
 * Further promises, one deterministic case each: run like `conformanceCases`. They are a list of their own until every
 * backend passes them.
 */
export const promiseCases: readonly ConformanceCase[] = [...narrowCases, ...overlapCases]
