import { mkdir } from 'node:fs/promises'
import { EventBus, EventBusError, type EventStore, localStore, memoryStore } from '@nexus/event-bus'
import type { RuntimeConfig } from './config/load-config.js'
import { RuntimeError } from './errors.js'

/** Room for the attributes of an event beside the body it came in. */
const envelopeBytes = 65_536

/**
 * Opens the bus that the configuration names.
 *
 * @throws RuntimeError `DATA_UNAVAILABLE`, for example when another process has the data directory open, or the
 * server does not answer
 */
export async function openBus(config: RuntimeConfig): Promise<EventBus> {
  try {
    return await EventBus.open({
      store: await openStore(config),
      maxEventBytes: Math.max(config.bodyLimitBytes, 1_048_576) + envelopeBytes,
    })
  } catch (cause) {
    const known = cause instanceof EventBusError || isSystemError(cause)
    if (!known) throw cause
    throw new RuntimeError('DATA_UNAVAILABLE', `event log: ${cause.message}`, { cause })
  }
}

/** The libraries of the servers are loaded only for those who use them. */
async function openStore({ bus, dataDir }: RuntimeConfig): Promise<EventStore> {
  if (bus.backend === 'nats') {
    const { natsStore } = await import('@nexus/event-bus-nats')
    return natsStore({ servers: bus.urls, ...bus.settings })
  }
  if (bus.backend === 'redis') {
    const { redisStore } = await import('@nexus/event-bus-redis')
    return redisStore({ url: bus.urls[0], ...bus.settings })
  }
  if (bus.backend === 'memory') return memoryStore()
  // Events may hold anything: other users of the machine have no business in there.
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const { durability, retention } = bus
  return localStore({ path: dataDir, durability, retention })
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
