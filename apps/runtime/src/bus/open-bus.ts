import type { Logger } from '@nexus/diagnostics'
import { EventBus, EventBusError } from '@nexus/event-bus'
import type { RuntimeConfig } from '../config/load-config.js'
import { RuntimeError } from '../errors.js'
import { assertEncrypts, backendNamed } from './bus-config.js'

/** Room for the attributes of an event beside the body it came in. */
const envelopeBytes = 65_536

/**
 * Opens the bus that the configuration names.
 *
 * @throws RuntimeError `DATA_UNAVAILABLE`, for example when another process has the data directory open, or the
 * server does not answer
 */
export async function openBus(config: RuntimeConfig, logger: Logger): Promise<EventBus> {
  const { bus, dataDir, dataKey, bodyLimitBytes, publisher } = config
  const backend = backendNamed(bus.backend)
  if (dataKey) assertEncrypts(bus)
  const { settings, urls, durability, retention } = bus
  try {
    return await EventBus.open({
      store: await backend.openStore({
        ...settings,
        urls,
        dataDir,
        durability,
        retention,
        dataKey,
      }),
      publisher,
      logger,
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
