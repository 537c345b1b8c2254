import type { ProcessEngine, ServiceStatus } from '@nexus/process-manager'
import { defaultHome, nativePaths, readFreshStatus } from '@nexus/process-manager/status'
import type { EngineKind } from './command.js'

/** Runs `use` with an engine, and closes the engine afterwards. */
export async function withEngine<T>(
  kind: EngineKind,
  use: (engine: ProcessEngine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine(kind)
  try {
    return await use(engine)
  } finally {
    await engine.close()
  }
}

/** Every service, from the daemon's status file where that is fresh: nothing else is loaded or asked then. */
export async function listServices(kind: EngineKind): Promise<readonly ServiceStatus[]> {
  if (kind === 'native') {
    const fresh = readFreshStatus(nativePaths(defaultHome()), Date.now())
    if (fresh) return fresh.services
  }
  return await withEngine(kind, (engine) => engine.list())
}

async function openEngine(kind: EngineKind): Promise<ProcessEngine> {
  if (kind === 'pm2') return new (await import('@nexus/process-manager')).Pm2Engine()
  return new (await import('@nexus/process-manager/native')).NativeEngine()
}
