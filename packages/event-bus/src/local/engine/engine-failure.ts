import { describeThrown } from '@nexus/diagnostics'
import { EventBusError } from '../../errors.js'

/** What LMDB answers when a page is not what its parent says: page not found, corrupted, panic, invalid, page full. */
const DAMAGE = new Set([-30797, -30796, -30795, -30793, -30786])

/** The error for a read that the database could not do: what it reads from is no longer what was written. */
export function readFailure(cause: unknown, path: string): EventBusError {
  if (cause instanceof EventBusError) return cause
  return new EventBusError(
    'STORE_CORRUPT',
    `the log in ${path} cannot be read: ${describeThrown(cause).message}; close the bus, see what is left with inspectLocalStore, and copy it to a new directory with recoverLocalStore`,
    { details: { path }, cause },
  )
}

/** The error for a commit that failed: `STORE_CORRUPT` for a damaged file, otherwise the one that was thrown. */
export function commitFailure(cause: unknown, path: string): unknown {
  const { code } = cause as { code?: number }
  const isDamage = code !== undefined && DAMAGE.has(code)
  return isDamage ||
    /MDB_(CORRUPTED|PAGE_NOTFOUND|PANIC|INVALID|PAGE_FULL)/.test(describeThrown(cause).message)
    ? readFailure(cause, path)
    : cause
}
