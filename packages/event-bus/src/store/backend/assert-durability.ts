import { EventBusError } from '../../errors.js'
import type { Durability } from '../stored-event.js'

const STRENGTH: Record<Durability, number> = { memory: 0, os: 1, disk: 2 }

/**
 * Refuses a publish that asks for more than the store has.
 *
 * @param hint how to get more
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function assertDurability(asked: Durability, available: Durability, hint: string): void {
  if (STRENGTH[asked] <= STRENGTH[available]) return
  throw new EventBusError(
    'INVALID_OPTIONS',
    `durability: expected at most ${available}, which is all that this store has, got ${asked}; ${hint}`,
    { details: { durability: asked, available } },
  )
}
