import type { Run } from '../command-line/parse.js'
import type { nexus } from './commands.js'
import type { service } from './service/command.js'

type Commands = typeof nexus.commands
type Name = Exclude<keyof Commands, 'service'> | `service ${keyof typeof service.commands}`

/** What each command does, loaded when it is called, so that none waits for the others. */
export const loaders: Readonly<Record<Name, () => Promise<Run>>> = {
  dev: async () => (await import('./serve/run.js')).runDev,
  start: async () => (await import('./serve/run.js')).runStart,
  events: async () => (await import('./events/run.js')).runEvents,
  replay: async () => (await import('./replay/run.js')).runReplay,
  erase: async () => (await import('./erase/run.js')).runErase,
  metrics: async () => (await import('./metrics/run.js')).runMetrics,
  optimizations: async () => (await import('./optimizations/run.js')).runOptimizations,
  profile: async () => (await import('./profile/run.js')).runProfile,
  completion: async () => (await import('./completion/run.js')).runCompletion,
  'service start': async () => (await import('./service/start.js')).runStart,
  'service stop': async () => (await import('./service/change.js')).runStop,
  'service restart': async () => (await import('./service/change.js')).runRestart,
  'service delete': async () => (await import('./service/change.js')).runDelete,
  'service status': async () => (await import('./service/status.js')).runStatus,
  'service list': async () => (await import('./service/status.js')).runList,
  'service metrics': async () => (await import('./service/status.js')).runMetrics,
  'service health': async () => (await import('./service/health.js')).runHealth,
  'service logs': async () => (await import('./service/logs.js')).runLogs,
  'service save': async () => (await import('./service/save.js')).runSave,
  'service resurrect': async () => (await import('./service/save.js')).runResurrect,
}
