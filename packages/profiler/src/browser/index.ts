export type { PerformanceMetric } from '../metric.js'
export type { MetricFilter } from '../metric-store.js'
export type { MetricSummary } from '../metric-summary.js'
export type { PageMetrics } from '../page-metrics.js'
export type { Interaction } from '../ux/interaction.js'
export type { UxImprovement } from '../ux/ux-improvement.js'
export {
  type BrowserClientOptions,
  type BrowserClientStats,
  type BrowserPerformanceClient,
  createPerformanceClient,
  type PageSnapshot,
} from './browser-client.js'
export type { NavigationTiming } from './navigation-timing.js'
