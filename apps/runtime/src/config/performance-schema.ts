import { z } from 'zod'

/** The longest time a timer of Node can be set to. */
const maxTimerMs = 2 ** 31 - 1

const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'expected scheme, host and port alone, such as https://shop.example.com',
  )

const pagesSchema = z.strictObject({
  origins: z.array(origin).default([]).meta({
    description: 'Other origins whose pages may send metrics; those of this server always may.',
  }),
  maxMetricsPerMinute: z.int().min(1).max(1_000_000).default(6_000).meta({
    description: 'Metrics taken from all pages together; more is answered with 429.',
  }),
  maxNames: z.int().min(1).max(10_000).default(100).meta({
    description:
      'Names of their own that pages may give metrics in /metrics; more count as (other).',
  }),
})

/** What the server measures of itself and of pages, and what it makes of it. */
export const performanceSchema = z
  .strictObject({
    enableProfiling: z.boolean().default(true).meta({
      description: 'Whether profiles may be taken.',
    }),
    profileIntervalMs: z.int().min(0).max(maxTimerMs).default(60_000).meta({
      description: 'How often figures are looked at; 0 for only when somebody asks.',
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
    pages: pagesSchema.optional().meta({
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
export type PagesConfig = z.output<typeof pagesSchema>
