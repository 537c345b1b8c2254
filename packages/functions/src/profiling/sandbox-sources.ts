import type { WasmRuntime } from '@nexus/executor'
import { sandboxTotals } from './sandbox-totals.js'

/** Functions that read the figures of the sandbox, as `observe` of a performance client of `@nexus/profiler` takes them. */
export interface SandboxSources {
  /** Compiled code: look-ups that any tier answered, sources that were compiled, entries removed for space; since the start. */
  cache(): { hits: number; misses: number; evictions: number }
  /** Handlers that are ready on a thread: calls that found theirs, those that did not, handlers removed for space; since the start. */
  handlers(): { hits: number; misses: number; evictions: number }
  /** Instances of all threads now, and calls that wait for one. */
  pool(): { active: number; available: number; waiting: number; memoryBytes: number }
  /** Threads that were ended at a hard deadline since the start. */
  threads(): { kills: number }
}

/**
 * What the parts of a sandbox say of themselves, for the rules that find what to improve.
 *
 * @example
 * ```ts
 * const client = createPerformanceClient() // of @nexus/profiler
 * client.observe(sandboxSources(runtime))
 * for (const knob of sandboxKnobs({ runtime, compiler })) client.registerKnob(knob)
 * ```
 */
export function sandboxSources(runtime: WasmRuntime): SandboxSources {
  const totals = () => sandboxTotals(runtime.getStats())
  return {
    cache: () => {
      const { cacheHits, compiled, evictions } = totals()
      return { hits: cacheHits, misses: compiled, evictions }
    },
    handlers: () => {
      const { acquired, handlerLoads, handlerEvictions } = totals()
      const hits = Math.max(0, acquired - handlerLoads)
      return { hits, misses: handlerLoads, evictions: handlerEvictions }
    },
    pool: () => totals().instances,
    threads: () => ({ kills: runtime.getStats().threadKills }),
  }
}
