/// <reference lib="dom" />
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'
import type { MetricInput } from '../../metrics/metric.js'
import { readNavigationTiming } from './navigation-timing.js'

/** Reports web vitals, long tasks and how the page loaded; returns a function that stops it. */
export function observePage(record: (metric: MetricInput) => void): () => void {
  let stopped = false
  const report = (metric: MetricInput) => {
    if (!stopped) record(metric)
  }
  // The library has no way to stop: it reports into a function that no longer listens.
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) {
    observe(({ name, value, rating, navigationType }) =>
      report({
        name,
        category: 'Rendering',
        value,
        unit: name === 'CLS' ? 'score' : 'ms',
        metadata: { rating, navigationType },
      }),
    )
  }
  const longTasks = observeLongTasks(report)
  const onLoad = () => setTimeout(() => reportNavigation(report))
  if (document.readyState === 'complete') onLoad()
  else addEventListener('load', onLoad, { once: true })
  return () => {
    stopped = true
    longTasks?.disconnect()
    removeEventListener('load', onLoad)
  }
}

function observeLongTasks(record: (metric: MetricInput) => void): PerformanceObserver | undefined {
  if (!PerformanceObserver.supportedEntryTypes.includes('longtask')) return undefined
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      record({ name: 'long-task', category: 'Cpu', value: duration, unit: 'ms' })
    }
  })
  observer.observe({ type: 'longtask', buffered: true })
  return observer
}

function reportNavigation(record: (metric: MetricInput) => void): void {
  const timing = readNavigationTiming()
  if (!timing) return
  const { transferredBytes, ...times } = timing
  for (const [name, value] of Object.entries(times)) {
    const part = name.slice(0, -'Ms'.length)
    record({ name: `navigation.${part}`, category: 'Network', value, unit: 'ms' })
  }
  record({
    name: 'navigation.transferred',
    category: 'Network',
    value: transferredBytes,
    unit: 'bytes',
  })
}
