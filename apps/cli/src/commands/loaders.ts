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
  functions: async () => (await import('./functions/run.js')).runFunctions,
  invoke: async () => (await import('./invoke/run.js')).runInvoke,
  publish: async () => (await import('./publish/run.js')).runPublish,
  replay: async () => (await import('./replay/run.js')).runReplay,
  erase: async () => (await import('./erase/run.js')).runErase,
  'dead-letters': async () => (await import('./dead-letters/run.js')).runDeadLetters,
  suspensions: async () => (await import('./suspensions/run.js')).runSuspensions,
  resume: async () => (await import('./resume/run.js')).runResume,
  metrics: async () => (await import('./metrics/run.js')).runMetrics,
  cache: async () => (await import('./cache/run.js')).runCache,
  optimizations: async () => (await import('./optimizations/run.js')).runOptimizations,
  profile: async () => (await import('./profile/run.js')).runProfile,
  'heap-snapshot': async () => (await import('./heap-snapshot/run.js')).runHeapSnapshot,
  completion: async () => (await import('./completion/run.js')).runCompletion,
  'service start': async () => (await import('./service/start.js')).runStart,
  'service stop': async () => (await import('./service/change.js')).runStop,
  'service restart': async () => (await import('./service/change.js')).runRestart,
  'service reload': async () => (await import('./service/change.js')).runReload,
  'service scale': async () => (await import('./service/change.js')).runScale,
  'service apply': async () => (await import('./service/apply.js')).runApply,
  'service top': async () => (await import('./service/top/top.js')).runTop,
  'service startup': async () => (await import('./service/startup.js')).runStartup,
  'service delete': async () => (await import('./service/change.js')).runDelete,
  'service status': async () => (await import('./service/status.js')).runStatus,
  'service list': async () => (await import('./service/status.js')).runList,
  'service metrics': async () => (await import('./service/status.js')).runMetrics,
  'service health': async () => (await import('./service/health.js')).runHealth,
  'service logs': async () => (await import('./service/logs.js')).runLogs,
  'service save': async () => (await import('./service/save.js')).runSave,
  'service resurrect': async () => (await import('./service/save.js')).runResurrect,
}
