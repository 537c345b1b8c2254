import type { StateChange } from '../../store/group-state.js'
import type { Transaction } from '../commit/transaction.js'

/** Writes changes of what a group keeps. */
export function writeState(
  transaction: Transaction,
  group: string,
  changes: readonly StateChange[],
): void {
  for (const { key, value } of changes) {
    if (value === undefined) transaction.remove('states', [group, key])
    else transaction.put('states', [group, key], { record: value })
  }
}
