import { describeThrown, guardLogger, type Logger } from '@nexus/diagnostics'
import { FunctionsError } from '../errors.js'
import type { FunctionDefinition } from '../function-definition.js'
import type { FunctionHost } from '../function-host.js'
import { PathWatcher } from './path-watcher.js'

/** Options of {@link FunctionWatcher}. */
export interface FunctionWatcherOptions {
  /** Runs the functions. */
  host: FunctionHost
  /**
   * Says which functions are to run, when a file has changed. It names each file that it needs to `needs` before it reads it,
   * so that one that is missing is noticed once it is there; those of the functions need not be named.
   * @default the functions that run
   */
  load?: ((needs: (file: string) => void) => Promise<readonly FunctionDefinition[]>) | undefined
  /** Absolute paths of the files that the running functions were read from, such as `nexus.yaml`. @default none */
  files?: readonly string[] | undefined
  /** Called after the new code runs. @default none */
  onReload?: ((functions: readonly string[]) => void) | undefined
  /** Called with the reason when a change was not taken: the functions go on as they were. @default none */
  onProblem?: ((error: Error) => void) | undefined
  /** Told of each reload, and why a change was not taken. @default nothing is logged */
  logger?: Logger | undefined
}

/**
 * Runs the new code of functions when something changes that their build looked at, found or not: a file, one that was
 * missing, a package, a directory. A change that does not compile is not taken.
 *
 * @example
 * ```ts
 * const watcher = new FunctionWatcher({ host, onReload: (names) => console.log('reloaded', names) })
 * ```
 */
export class FunctionWatcher {
  readonly #options: FunctionWatcherOptions
  readonly #logger: Logger
  readonly #watcher: PathWatcher
  #running: Promise<void> | undefined
  #again = false
  #closed = false
  /** What is to run, as far as that is known. */
  #wanted: readonly FunctionDefinition[] = []
  #needed: readonly string[]

  constructor(options: FunctionWatcherOptions) {
    this.#options = options
    this.#logger = guardLogger(options.logger)
    this.#needed = options.files ?? []
    this.#watcher = new PathWatcher({
      onChange: () => this.#request(),
      onError: (cause) => this.#tellProblem(refusedWatch(cause)),
    })
    this.#watch()
    // A file may have changed between the build and now.
    this.#request({ quietly: true })
  }

  /** Stops watching, and waits for a reload under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#watcher.close()
    this.#again = false
    await this.#running
  }

  #request({ quietly = false } = {}): void {
    this.#again = true
    this.#running ??= this.#run(quietly).finally(() => {
      this.#running = undefined
    })
  }

  async #run(quietly: boolean): Promise<void> {
    let quiet = quietly
    while (this.#again) {
      this.#again = false
      const problem = await this.#reload()
      if (problem) this.#tellProblem(problem)
      else if (!quiet) this.#tellReload()
      quiet = false
    }
  }

  /** @returns why the functions go on as they were, if they do */
  async #reload(): Promise<Error | undefined> {
    for (;;) {
      const problem = await this.#bind()
      // What was looked at for the first time was not watched before now, and may have changed since.
      if (this.#closed || !this.#watch()) return problem
    }
  }

  async #bind(): Promise<Error | undefined> {
    const { host, load, files = [] } = this.#options
    const needed = new Set(files)
    try {
      this.#wanted = load ? await load((file) => needed.add(file)) : host.definitions
      await host.bind(this.#wanted)
      return undefined
    } catch (error) {
      return error instanceof Error ? error : new Error(describeThrown(error).message)
    } finally {
      this.#needed = [...needed]
    }
  }

  #tellReload(): void {
    const { host, onReload } = this.#options
    this.#logger.info({ functions: host.names }, 'reloaded')
    onReload?.(host.names)
  }

  #tellProblem(problem: Error): void {
    if (this.#closed) return
    const reason = problem.message
    this.#logger.error({ reason }, 'a change was not taken: the functions go on as they were')
    this.#options.onProblem?.(problem)
  }

  /** Watches what runs and what is to run. */
  #watch(): boolean {
    return this.#watcher.watch([...this.#needed, ...this.#options.host.lookedAt(this.#wanted)])
  }
}

function refusedWatch(cause: NodeJS.ErrnoException): FunctionsError {
  const message = `changes below ${cause.path} are not noticed: the system refuses to watch it (${cause.code}); close other watchers, or raise its limit (fs.inotify.max_user_watches)`
  return new FunctionsError('WATCH_FAILED', message, { cause })
}
