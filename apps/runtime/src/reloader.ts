import { isDeepStrictEqual } from 'node:util'
import type { WasmRuntime } from '@nexus/executor'
import type { ActivityListener } from './activity.js'
import type { RuntimeConfig } from './config/load-config.js'
import { RuntimeError } from './errors.js'
import type { FunctionHost } from './functions/function-host.js'
import { loadFunctions } from './functions/load-functions.js'
import { FileWatcher } from './watch-files.js'

/** What a {@link Reloader} works on. */
export interface ReloaderParts {
  /** The configuration that runs. */
  config: RuntimeConfig
  /** Reads the configuration anew. */
  load: () => Promise<RuntimeConfig>
  host: FunctionHost
  wasm: WasmRuntime
  onActivity: ActivityListener
}

/** Puts changed functions to work; a change that does not compile leaves the last good ones running. */
export class Reloader {
  readonly #parts: ReloaderParts
  readonly #watcher = new FileWatcher(() => this.#request())
  #running: Promise<void> | undefined
  #again = false

  constructor(parts: ReloaderParts) {
    this.#parts = parts
    this.#watch(parts.config)
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
    const { load, host, wasm, onActivity } = this.#parts
    try {
      const config = await load()
      this.#watch(config)
      await host.bind(await loadFunctions(config.functions, wasm))
      if (!isDeepStrictEqual(withoutFunctions(config), withoutFunctions(this.#parts.config))) {
        onActivity({ kind: 'problem', message: 'settings beside functions need a restart' })
      }
      this.#watch(config)
      onActivity({ kind: 'reload', functions: host.names })
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error
      const message = `${error.message}\n\nThe functions go on as they were before this change.`
      onActivity({ kind: 'problem', message })
    }
  }

  /** Watches what runs and what is to run: a new function that does not compile yet is mended in its own file. */
  #watch({ file, functions }: RuntimeConfig): void {
    const files = [file, ...functions.map((entry) => entry.file), ...this.#parts.host.files]
    this.#watcher.watch(files.filter((path) => !path.includes('/node_modules/')))
  }
}

function withoutFunctions({ functions: _, warnings: __, ...rest }: RuntimeConfig): object {
  return rest
}
