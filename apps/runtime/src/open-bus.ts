import { mkdir } from 'node:fs/promises'
import { EventBus, EventBusError, localStore } from '@nexus/event-bus'
import type { RuntimeConfig } from './config/load-config.js'
import { RuntimeError } from './errors.js'

/** Room for the attributes of an event beside the body it came in. */
const envelopeBytes = 65_536

/**
 * Opens the event log in the data directory.
 *
 * @throws RuntimeError `DATA_UNAVAILABLE`, for example when another process has it open
 */
export async function openBus(config: RuntimeConfig): Promise<EventBus> {
  const { dataDir, durability, bodyLimitBytes } = config
  try {
    // Events may hold anything: other users of the machine have no business in there.
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    return await EventBus.open({
      store: localStore({ path: dataDir, durability }),
      maxEventBytes: Math.max(bodyLimitBytes, 1_048_576) + envelopeBytes,
    })
  } catch (cause) {
    const known = cause instanceof EventBusError || isSystemError(cause)
    if (!known) throw cause
    throw new RuntimeError('DATA_UNAVAILABLE', `event log: ${cause.message}`, { cause })
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
