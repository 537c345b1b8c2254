import { isAbsolute } from 'node:path'
import type { ProcessEngine, ServiceStatus } from '@nexus/process-manager'
import { defaultHome, nativePaths, readFreshStatus } from '@nexus/process-manager/status'
import { UsageError } from '../../../command-line/usage-error.js'
import { printError } from '../../../terminal/output.js'
import { printable } from '../../../terminal/terminal.js'
import type { EngineKind } from '../command.js'

/** Runs `use` with an engine, and closes the engine afterwards. */
export async function withEngine<T>(
  kind: EngineKind,
  use: (engine: ProcessEngine) => Promise<T>,
): Promise<T> {
  // Before anything is changed that could not be told to Redis then.
  sharedUrl()
  const engine = await openEngine(kind)
  try {
    const result = await use(engine)
    printWarnings(engine.warnings)
    return result
  } finally {
    await engine.close()
  }
}

/** Every service, from the daemon's status file where that is fresh: nothing else is loaded or asked then. */
export async function listServices(
  kind: EngineKind,
  { useCache = true } = {},
): Promise<readonly ServiceStatus[]> {
  const url = sharedUrl()
  if (url === undefined || !useCache) return await readServices(kind)
  const { withSharedCache } = await import('./shared-cache.js')
  return await withSharedCache(url, kind, (cache) =>
    cache.get('status', '*', () => readServices(kind)),
  )
}

/** A command that changed something lets the next one ask the daemon. */
export async function forgetShared(kind: EngineKind): Promise<void> {
  const url = sharedUrl()
  if (url === undefined) return
  const { withSharedCache } = await import('./shared-cache.js')
  await withSharedCache(url, kind, async (cache) => cache.invalidate('*'))
}

/**
 * The Redis server of the shared cache; undefined where there is none.
 *
 * @throws UsageError for what is no URL of one, without a word of it: it may hold a password
 */
function sharedUrl(): string | undefined {
  const url = process.env.NEXUS_SERVICE_REDIS_URL
  if (!url) return undefined
  // What ioredis takes; it would take every other word for the path of a socket as well.
  if (isAbsolute(url) || (/^rediss?:\/\/./.test(url) && URL.canParse(url))) return url
  throw new UsageError(
    'NEXUS_SERVICE_REDIS_URL: expected a URL such as redis://127.0.0.1:6379, or the absolute path of a socket',
  )
}

async function readServices(kind: EngineKind): Promise<readonly ServiceStatus[]> {
  if (kind === 'native') {
    const fresh = readFreshStatus(nativePaths(defaultHome()), Date.now())
    if (fresh) {
      printWarnings(fresh.warnings)
      return fresh.services
    }
  }
  return await withEngine(kind, (engine) => engine.list())
}

/** What was not done, though the command was: it stands beside the answer and does not make it a failure. */
function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) printError(`warning: the daemon ${printable(warning)}\n`)
}

async function openEngine(kind: EngineKind): Promise<ProcessEngine> {
  if (kind === 'pm2') return new (await import('@nexus/process-manager')).Pm2Engine()
  return new (await import('@nexus/process-manager/native')).NativeEngine()
}
