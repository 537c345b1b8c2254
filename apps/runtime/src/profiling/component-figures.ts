import type { WasmRuntime } from '@nexus/executor'
import type { MetricsCollector } from '@nexus/metrics'
import type { PerformanceSources } from '@nexus/profiler'
import { sandboxTotals } from './sandbox-totals.js'

/** What the parts of the sandbox say, for the rules that find what to improve. */
export function sandboxSources(wasm: WasmRuntime): PerformanceSources {
  const totals = () => sandboxTotals(wasm.getStats())
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
    threads: () => ({ kills: wasm.getStats().threadKills }),
  }
}

/** The same, and what each function did since the start. */
export function runtimeSources(wasm: WasmRuntime, collector: MetricsCollector): PerformanceSources {
  return { ...sandboxSources(wasm), functions: () => collector.getStats().functions }
}
