import { pageMetricsSchema } from '@nexus/server'
import { z } from 'zod'

/** The longest time a timer of Node can be set to. */
const maxTimerMs = 2 ** 31 - 1

/** What the server measures of itself and of pages, and what it makes of it. */
export const performanceSchema = z
  .strictObject({
    enableProfiling: z.boolean().default(true).meta({
      description: 'Whether profiles may be taken.',
    }),
    profileIntervalMs: z.int().min(0).max(maxTimerMs).default(60_000).meta({
      description: 'How often figures are looked at; 0: only when asked.',
    }),
    enableOptimizations: z.boolean().default(true).meta({
      description: 'Whether optimizations are looked for.',
    }),
    autoOptimize: z.boolean().default(false).meta({
      description: 'Apply those that turn a setting without being asked.',
    }),
    enableMetrics: z.boolean().default(true).meta({
      description: 'Whether metrics of pages are kept.',
    }),
    metricsRetentionMs: z.int().min(1).default(3_600_000).meta({
      description: 'How long figures and metrics are kept.',
    }),
    pages: pageMetricsSchema.optional().meta({
      description: 'Take metrics from pages with @nexus/profiler/browser; off when left out.',
    }),
  })
  .optional()
  .meta({
    description: 'Figures and optimizations; with this the server looks from its start.',
  })

/** The value of `performance` in a valid file. */
export type PerformanceFile = z.output<typeof performanceSchema>

/** What pages may send. */
export type PagesConfig = z.output<typeof pageMetricsSchema>
