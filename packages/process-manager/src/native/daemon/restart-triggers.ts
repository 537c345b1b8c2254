import type { FSWatcher } from 'chokidar'
import { Cron } from 'croner'
import type { ResolvedDefinition } from '../../service/service-defaults.js'

/** Several files are saved at once, and an editor may write one in steps. */
const SETTLE_MS = 100

/** Restarts a service when its files change, or at the times of a cron expression. */
export class RestartTriggers {
  #cron: Cron | null = null
  #watcher: Promise<FSWatcher> | null = null
  #settling: NodeJS.Timeout | undefined

  constructor(private readonly restart: () => void) {}

  /** As this definition says, and no longer as one before. */
  arm({ cronRestart, watch }: ResolvedDefinition): void {
    if (cronRestart !== null) this.#cron ??= new Cron(cronRestart, () => this.restart())
    if (watch.length > 0) this.#watcher ??= this.#watch(watch)
  }

  disarm(): void {
    this.#cron?.stop()
    this.#cron = null
    clearTimeout(this.#settling)
    void this.#watcher?.then((watcher) => watcher.close())
    this.#watcher = null
  }

  /** Most services watch nothing: what watches is loaded for those that do. */
  async #watch(paths: readonly string[]): Promise<FSWatcher> {
    const { watch } = await import('chokidar')
    const watcher = watch([...paths], { ignoreInitial: true, ignored: isOfNoProgram })
    watcher.on('all', () => {
      clearTimeout(this.#settling)
      this.#settling = setTimeout(() => {
        if (this.#watcher !== null) this.restart()
      }, SETTLE_MS)
    })
    watcher.on('error', () => {})
    return watcher
  }
}

/** Installed packages, logs, and what begins with a dot. */
function isOfNoProgram(path: string): boolean {
  return /(^|[\\/])(node_modules|\.[^\\/]+)([\\/]|$)|\.log$/.test(path)
}
