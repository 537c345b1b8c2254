import type { EnvironmentSettings } from './environment.js'
import type { PagesConfig, PerformanceFile } from './performance-schema.js'

/** What the server measures of itself and of pages; see `performanceSchema`. */
export interface PerformanceSettings {
  enableProfiling: boolean
  profileIntervalMs: number
  enableOptimizations: boolean
  autoOptimize: boolean
  enableMetrics: boolean
  metricsRetentionMs: number
}

/** The settings of a runtime. */
export interface PerformanceConfig extends PerformanceSettings {
  /** Whether it looks from the start; else from when somebody asks for the first time. */
  fromStart: boolean
  pages: PagesConfig | undefined
}

const defaults: PerformanceSettings = {
  enableProfiling: true,
  profileIntervalMs: 60_000,
  enableOptimizations: true,
  autoOptimize: false,
  enableMetrics: true,
  metricsRetentionMs: 3_600_000,
}

/** Merges the file and the `PERFORMANCE_` variables. */
export function performanceConfig(
  file: PerformanceFile,
  environment: EnvironmentSettings,
): PerformanceConfig {
  const { pages, ...settings } = file ?? { pages: undefined, ...defaults }
  const { performanceEnabled: enabled, profileIntervalMs, metricsRetentionMs } = environment
  return {
    ...settings,
    ...(enabled !== undefined && {
      enableProfiling: enabled,
      enableMetrics: enabled,
      enableOptimizations: enabled,
    }),
    ...(profileIntervalMs !== undefined && { profileIntervalMs }),
    ...(metricsRetentionMs !== undefined && { metricsRetentionMs }),
    fromStart: file !== undefined || profileIntervalMs !== undefined,
    pages,
  }
}
