import type { Histogram, MetricsRegistry } from '@nexus/metrics'
import type { RawResult } from '../call/call.js'

/** From 50 µs, less than a small handler takes, to 1 s. */
const SECONDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
]

const FREEZE = 'nexus_suspension_freeze_seconds'
const THAW = 'nexus_suspension_thaw_seconds'

/** How long calls took to be frozen, and to go on. */
export class SuspensionTimes {
  readonly #registry: MetricsRegistry
  readonly #freeze: Histogram<'function'>
  readonly #thaw: Histogram<'function'>

  /** @throws MetricsError `NAME_TAKEN` when the registry already has those of another runtime */
  constructor(registry: MetricsRegistry) {
    this.#registry = registry
    const byFunction = { labelNames: ['function'], buckets: SECONDS } as const
    this.#freeze = registry.histogram({
      ...{ name: FREEZE, help: 'Time to freeze a call that is suspended, its storing left out.' },
      ...byFunction,
    })
    this.#thaw = registry.histogram({
      ...{ name: THAW, help: 'Time until a call that was suspended runs, its loading left out.' },
      ...byFunction,
    })
  }

  record(name: string, { freezeUs, thawUs }: Pick<RawResult, 'freezeUs' | 'thawUs'>): void {
    if (freezeUs !== undefined) this.#freeze.observe({ function: name }, freezeUs / 1e6)
    if (thawUs !== undefined) this.#thaw.observe({ function: name }, thawUs / 1e6)
  }

  /** Takes them out of the registry. */
  remove(): void {
    this.#registry.remove(FREEZE)
    this.#registry.remove(THAW)
  }
}
