import { HandlerCompiler } from '@nexus/compile-cache'
import type { Logger } from '@nexus/diagnostics'
import type { CacheTier } from './bus/backend.js'
import { backendNamed } from './bus/bus-config.js'
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
 * nothing is shared: anyone who can write to the server could plant code.
 */
export async function openCompiler(config: RuntimeConfig, logger: Logger): Promise<OpenedCompiler> {
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
    logger,
  })
  return {
    compiler,
    close: async () => {
      await compiler.close()
      await sharedTier?.close()
    },
  }
}

async function openSharedTier({ bus }: RuntimeConfig): Promise<CacheTier | undefined> {
  return backendNamed(bus.backend).openCacheTier?.({ ...bus.settings, urls: bus.urls })
}
