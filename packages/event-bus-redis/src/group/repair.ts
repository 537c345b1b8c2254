import { FILL_GROUP } from '../scripts/groups.js'
import { REPAIR } from '../scripts/repair.js'
import type { RunScript } from './settlements.js'

/** Events that one call looks at, so that the server stays responsive. */
const LOOKED_AT_ONCE = 500

/**
 * Gives a group what it wants of the log and has neither finished nor waiting; several processes may do so at once.
 *
 * @throws EventBusError `STORE_UNAVAILABLE`
 */
export async function fillGroup(run: RunScript, name: string): Promise<void> {
  while ((await run(FILL_GROUP, [name, LOOKED_AT_ONCE])) === 1);
}

/**
 * Works out from the rest what deleted keys of the log held; answers how many events could not be saved.
 *
 * @throws EventBusError `STORE_UNAVAILABLE`
 */
export async function repairLog(run: RunScript): Promise<number> {
  let removed = 0
  for (;;) {
    const [more, gone] = (await run(REPAIR, [LOOKED_AT_ONCE])) as [number, number]
    removed += gone
    if (more === 0) return removed
  }
}
