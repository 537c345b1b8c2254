import type { EnvironmentSettings } from './environment.js'
import { type PagesConfig, type PerformanceFile, performanceSchema } from './performance-schema.js'

/** What the server measures of itself and of pages; see `performanceSchema`. */
export type PerformanceSettings = Omit<NonNullable<PerformanceFile>, 'pages'>

/** The settings of a runtime. */
export interface PerformanceConfig extends PerformanceSettings {
  /** Whether it looks from the start; else from the first time that figures are asked for. */
  fromStart: boolean
  pages: PagesConfig | undefined
}

/** Merges the file and the `PERFORMANCE_` variables. */
export function performanceConfig(
  file: PerformanceFile,
  environment: EnvironmentSettings,
): PerformanceConfig {
  const { pages, ...settings } = file ?? performanceSchema.unwrap().parse({})
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
    fromStart: file !== undefined || profileIntervalMs !== undefined || enabled === true,
    pages,
  }
}
