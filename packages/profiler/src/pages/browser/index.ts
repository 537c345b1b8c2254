export type { PerformanceMetric } from '../../metrics/metric.js'
export type { MetricFilter } from '../../metrics/metric-store.js'
export type { MetricSummary } from '../../metrics/metric-summary.js'
export type { Interaction } from '../interaction.js'
export type { PageMetrics } from '../page-metrics.js'
export type { UxImprovement } from '../ux-improvement.js'
export {
  type BrowserClientOptions,
  type BrowserClientStats,
  type BrowserPerformanceClient,
  createPerformanceClient,
  type PageSnapshot,
} from './browser-client.js'
export type { NavigationTiming } from './navigation-timing.js'
