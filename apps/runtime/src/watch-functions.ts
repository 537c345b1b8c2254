import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '@nexus/diagnostics'
import { type FunctionHost, FunctionWatcher } from '@nexus/functions'
import type { ActivityListener } from './activity.js'
import type { RuntimeConfig } from './config/load-config.js'
import { functionDefinitions } from './function-definitions.js'
import { messageOf } from './message-of.js'

/** Reads the configuration; `needs` hears of each file that it names. */
export type LoadConfig = (needs?: (file: string) => void) => Promise<RuntimeConfig>

interface WatchParts {
  /** The configuration that runs. */
  config: RuntimeConfig
  load: LoadConfig
  host: FunctionHost
  logger: Logger
  onActivity: ActivityListener
}

/** Runs changed functions; other changes of the file are reported, for they need a restart. */
export function watchFunctions(parts: WatchParts): FunctionWatcher {
  const { config, load, host, logger, onActivity } = parts
  let settings = withoutFunctions(config)
  return new FunctionWatcher({
    host,
    logger,
    files: [config.file],
    load: async (needs) => {
      const changed = await load(needs)
      if (!isDeepStrictEqual(withoutFunctions(changed), settings)) {
        settings = withoutFunctions(changed)
        const message = 'settings other than functions need a restart'
        logger.warn({}, 'settings other than functions need a restart')
        onActivity({ kind: 'problem', message })
      }
      return functionDefinitions(changed.functions)
    },
    onReload: (functions) => onActivity({ kind: 'reload', functions }),
    onProblem: (error) => {
      const message = `${messageOf(error)}\n\nThe functions go on as they were before this change.`
      onActivity({ kind: 'problem', message })
    },
  })
}

function withoutFunctions({ functions: _, warnings: __, ...rest }: RuntimeConfig): object {
  return rest
}
