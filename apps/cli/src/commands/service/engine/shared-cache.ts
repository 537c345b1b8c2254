import { hostname } from 'node:os'
import type { MetricsCache } from '@nexus/process-manager'
import { defaultHome } from '@nexus/process-manager/status'
import { CommandError } from '../../../server/failure.js'
import { printError } from '../../../terminal/output.js'
import type { EngineKind } from '../command.js'

/** Runs `use` with a cache that commands share through Redis, each home of each host for itself; says where that fails. */
export async function withSharedCache<T>(
  url: string,
  kind: EngineKind,
  use: (cache: MetricsCache) => Promise<T>,
): Promise<T> {
  const { MetricsCache } = await import('@nexus/process-manager')
  const { RedisTier } = await import('@nexus/process-manager/redis').catch((cause) => {
    throw new CommandError(
      `NEXUS_SERVICE_REDIS_URL needs the package ioredis: ${(cause as Error).message}`,
      'Install it beside nexus: npm install ioredis',
      { cause },
    )
  })
  const home = kind === 'pm2' ? (process.env.PM2_HOME ?? '') : defaultHome()
  const scope = `${hostname()}:${kind}:${home}`
  const cache = new MetricsCache({ shared: new RedisTier({ url, scope }) })
  try {
    return await use(cache)
  } finally {
    await cache.close()
    if (cache.getStats().shared.failures > 0) {
      printError(
        'warning: nothing is shared: NEXUS_SERVICE_REDIS_URL leads to no Redis that answers\n',
      )
    }
  }
}
