import type { PerformanceControl, PerformanceSource } from './performance-source.js'

/** A client that looks at the process: `createPerformanceClient` of `@nexus/profiler` makes one. */
export interface LookingPerformanceControl extends PerformanceControl {
  /** The looks that were taken, oldest first; `timestamp` in milliseconds since the epoch. */
  getSnapshots(): readonly { timestamp: number }[]
  /** Looks at how things are now. */
  createSnapshot(): Promise<unknown>
  /** Stops looking. */
  close(): void
}

/** Options of {@link PerformanceOnDemand}. */
export interface PerformanceOnDemandOptions {
  /** Makes the client; called once, when it is needed for the first time, so it may load its package. */
  open(): Promise<LookingPerformanceControl>
  /**
   * A look that is younger than this is not repeated, in milliseconds: the rules judge by the latest ten looks.
   * @default 5_000
   */
  freshMs?: number | undefined
}

/**
 * A performance client that costs nothing until it is asked for.
 *
 * @example
 * ```ts
 * const performance = new PerformanceOnDemand({
 *   open: async () => (await import('@nexus/profiler')).createPerformanceClient(),
 * })
 * await app.register(nexusApi, { bus, performance })
 * ```
 */
export class PerformanceOnDemand implements PerformanceSource {
  readonly #open: () => Promise<LookingPerformanceControl>
  readonly #freshMs: number
  #client: Promise<LookingPerformanceControl> | undefined

  constructor({ open, freshMs = 5_000 }: PerformanceOnDemandOptions) {
    this.#open = open
    this.#freshMs = freshMs
  }

  /** The client, which begins to look when it is asked for the first time. */
  client(): Promise<LookingPerformanceControl> {
    this.#client ??= this.#opened()
    return this.#client
  }

  /** The client, after a look at how things are now. */
  async look(): Promise<LookingPerformanceControl> {
    const client = await this.client()
    const age = Date.now() - (client.getSnapshots().at(-1)?.timestamp ?? 0)
    if (age >= this.#freshMs) await client.createSnapshot()
    return client
  }

  /** Closes the client, where there is one. */
  async close(): Promise<void> {
    const client = await this.#client
    client?.close()
  }

  async #opened(): Promise<LookingPerformanceControl> {
    const client = await this.#open()
    // What grew is told from a first look on.
    await client.createSnapshot()
    return client
  }
}
