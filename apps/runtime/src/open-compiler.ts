import { HandlerCompiler } from '@nexus/compile-cache'
import type { NatsCacheTier } from '@nexus/event-bus-nats'
import type { RedisCacheTier } from '@nexus/event-bus-redis'
import type { RuntimeConfig } from './config/load-config.js'

/** The first look-up connects to the server as well. */
const sharedTimeoutMs = 2000

/** A compiler, and what undoes opening it. */
export interface OpenedCompiler {
  compiler: HandlerCompiler
  close(): Promise<void>
}

/**
 * Opens the compile cache; runtimes that share a bus server and a secret share what they compile. Without a secret
 * nothing is shared: whoever can write to the server could plant code.
 */
export async function openCompiler(
  config: RuntimeConfig,
  onWarning: (message: string) => void,
): Promise<OpenedCompiler> {
  const {
    file,
    dataDir,
    cacheDir,
    maxCacheSizeBytes,
    maxCacheMemoryBytes,
    cacheSecret: secret,
  } = config
  const sharedTier = secret === undefined ? undefined : await openSharedTier(config)
  const compiler = new HandlerCompiler({
    cacheDir,
    // Secrets of the operator, wherever they lie.
    privatePaths: [file, dataDir],
    maxCacheSizeBytes,
    maxMemoryBytes: maxCacheMemoryBytes,
    secret,
    sharedTier,
    sharedTimeoutMs,
    // One that is slow to compile, such as a hostile regular expression, must not hold up the server.
    offloadLength: 0,
    onWarning,
  })
  return {
    compiler,
    close: async () => {
      await compiler.close()
      await sharedTier?.close()
    },
  }
}

async function openSharedTier({
  bus,
}: RuntimeConfig): Promise<NatsCacheTier | RedisCacheTier | undefined> {
  if (bus.backend === 'nats') {
    const { NatsCacheTier } = await import('@nexus/event-bus-nats')
    const { prefix, replicas, requestTimeoutMs } = bus.settings
    return new NatsCacheTier({ servers: bus.urls, prefix, replicas, requestTimeoutMs })
  }
  if (bus.backend === 'redis') {
    const { RedisCacheTier } = await import('@nexus/event-bus-redis')
    const { prefix, requestTimeoutMs } = bus.settings
    return new RedisCacheTier({ url: bus.urls[0], prefix, requestTimeoutMs })
  }
  return undefined
}
