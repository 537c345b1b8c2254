import type { ConformanceCase } from '../harness/harness.js'
import { claimCases } from './claim-cases.js'
import { clockCases } from './clock-cases.js'
import { deadLetterCases } from './dead-letter-cases.js'
import { deliveryCases } from './delivery-cases.js'
import { outcomeCases } from './outcome-cases.js'
import { overlapCases } from './overlap-cases.js'
import { publishCases } from './publish-cases.js'
import { queryCases } from './query-cases.js'
import { recoveryCases } from './recovery-cases.js'
import { retentionCases } from './retention-cases.js'
import { settlementCases } from './settlement-cases.js'
import { sharedValueCases } from './shared-value-cases.js'
import { stateCases } from './state-cases.js'

/**
 * The promises of the bus, one test each, which `describeStore` runs with all others. A case throws an AssertionError when
 * the store does not keep the promise.
 *
 * @example
 * ```ts
 * for (const { name, run } of conformanceCases) it(name, () => run(harness))
 * ```
 */
export const conformanceCases: readonly ConformanceCase[] = [
  ...publishCases,
  ...queryCases,
  ...deliveryCases,
  ...claimCases,
  ...settlementCases,
  ...stateCases,
  ...deadLetterCases,
  ...outcomeCases,
  ...overlapCases,
  ...clockCases,
  ...recoveryCases,
  ...retentionCases,
  ...sharedValueCases,
]
