import { describeThrown } from '../describe-thrown.js'
import type { FunctionDefinition } from '../function-definition.js'
import { type FunctionHost, filesOf } from '../function-host.js'
import { FileWatcher } from './file-watcher.js'

/** Options of {@link FunctionWatcher}. */
export interface FunctionWatcherOptions {
  /** Runs the functions. */
  host: FunctionHost
  /**
   * Says which functions are to run, when a file has changed; `files` are watched in addition to those of the functions, such
   * as the file that the functions are read from.
   * @default the functions that run
   */
  load?: (() => Promise<LoadedDefinitions>) | undefined
  /** Called after the new code runs. @default none */
  onReload?: ((functions: readonly string[]) => void) | undefined
  /** Called with the reason when a change was not taken: the functions go on as they were. @default none */
  onProblem?: ((error: Error) => void) | undefined
}

/** What {@link FunctionWatcherOptions.load} answers. */
export interface LoadedDefinitions {
  /** The functions that are to run. */
  functions: readonly FunctionDefinition[]
  /** Files to watch in addition to those of the functions. */
  files?: readonly string[]
}

/**
 * Runs the new code of functions when one of their files changes; a change that does not compile is not taken.
 *
 * @example
 * ```ts
 * const watcher = new FunctionWatcher({ host, onReload: (names) => console.log('reloaded', names) })
 * ```
 */
export class FunctionWatcher {
  readonly #options: FunctionWatcherOptions
  readonly #watcher = new FileWatcher(() => this.#request())
  #running: Promise<void> | undefined
  #again = false
  #loaded: LoadedDefinitions

  /** @param loaded what runs now and the files beside it */
  constructor(options: FunctionWatcherOptions, loaded: Partial<LoadedDefinitions> = {}) {
    this.#options = options
    this.#loaded = { functions: [], ...loaded }
    this.#watch()
  }

  /** Stops watching, and waits for a reload under way. */
  async close(): Promise<void> {
    this.#watcher.close()
    this.#again = false
    await this.#running
  }

  #request(): void {
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#reload()
    }
  }

  async #reload(): Promise<void> {
    const { host, load, onReload, onProblem } = this.#options
    try {
      this.#loaded = load ? await load() : { functions: host.definitions }
      // Before they are compiled: a new function that does not compile yet is corrected in its own file.
      this.#watch()
      await host.bind(this.#loaded.functions)
      this.#watch()
      onReload?.(host.names)
    } catch (error) {
      onProblem?.(error instanceof Error ? error : new Error(describeThrown(error).message))
    }
  }

  /** Watches what runs and what is to run. */
  #watch(): void {
    const { functions, files = [] } = this.#loaded
    const all = [...files, ...functions.flatMap(filesOf), ...this.#options.host.files]
    this.#watcher.watch(all.filter((path) => !path.includes('/node_modules/')))
  }
}
