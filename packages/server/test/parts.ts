import type { FunctionHost } from '@nexus/functions'
import { MetricsCollector } from '@nexus/metrics'
import type { NexusApiOptions } from '@nexus/server'
import { vi } from 'vitest'

/** Secret of the webhook `hub`, whose scheme is GitHub's. */
export const hubSecret = 'hub-secret'

/** Options that turn every route on, and the functions that do their work. */
export function everyPart() {
  const work = {
    profile: vi.fn(async () => ({ taken: true })),
    applyOptimization: vi.fn(async () => optimization),
    undoOptimization: vi.fn(async () => optimization),
    getOptimizations: vi.fn(() => [optimization]),
    getUxImprovements: vi.fn(() => []),
    getMetricSummaries: vi.fn(() => []),
    invoke: vi.fn(async () => ({ status: 'succeeded' })),
    recordPageMetrics: vi.fn(() => [{ name: 'LCP', unit: 'ms', value: 1 }]),
  }
  const options = {
    metrics: new MetricsCollector(),
    functions: {
      names: [],
      functions: [],
      invoke: work.invoke,
      route: () => ({ methods: [] }),
    } as unknown as FunctionHost,
    profiler: { busy: false, profile: work.profile },
    performance: { client: async () => work, look: async () => work },
    pages: {},
    webhooks: { hub: { scheme: 'github', secrets: [hubSecret], type: 'com.github' } },
  } satisfies Partial<NexusApiOptions>
  return { work, options }
}

const optimization = {
  id: 'o-1',
  title: 'Keep more handlers',
  severity: 'low',
  evidence: [],
  advice: 'Raise it.',
  expectedEffect: 'Fewer compilations.',
  state: 'suggested',
} as const
