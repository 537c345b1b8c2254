import { constants, PerformanceObserver, performance } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import type { MetricsRegistry } from '../registry/registry.js'
import { EventLoopDelay } from './event-loop-delay.js'
import { EventLoopUtilization } from './event-loop-utilization.js'
import { linuxProcess } from './linux-process.js'

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

const gauge = (help: string) => ({ type: 'gauge', help }) as const
const counter = (help: string) => ({ type: 'counter', help }) as const

/**
 * Adds what is usual to know of a Node process, under the usual names: `process_*` for CPU, memory and file
 * descriptors, `nodejs_*` for event loop, garbage collection and heap.
 *
 * @returns a function that removes them again and stops measuring
 * @throws {@link MetricsError} `NAME_TAKEN` when the registry has them already
 *
 * @example
 * ```ts
 * const remove = addProcessMetrics(registry)
 * ```
 */
export function addProcessMetrics(registry: MetricsRegistry): () => void {
  const removers: (() => void)[] = []
  const removeAll = () => {
    for (const remove of removers.splice(0)) remove()
  }
  try {
    for (const add of [observeProcess, observeEventLoop, observeHeap, observeGarbageCollection]) {
      removers.push(add(registry))
    }
  } catch (error) {
    removeAll()
    throw error
  }
  return removeAll
}

function observeProcess(registry: MetricsRegistry): () => void {
  const startedSeconds = performance.timeOrigin / 1000
  const [major, minor, patch] = process.versions.node.split('.')
  return registry.observe({
    metrics: {
      user: { name: 'process_cpu_user_seconds_total', ...counter('User CPU time spent.') },
      system: { name: 'process_cpu_system_seconds_total', ...counter('System CPU time spent.') },
      cpu: { name: 'process_cpu_seconds_total', ...counter('User and system CPU time spent.') },
      started: {
        name: 'process_start_time_seconds',
        ...gauge('When the process started, since the Unix epoch.'),
        aggregate: 'min',
      },
      resident: { name: 'process_resident_memory_bytes', ...gauge('Resident memory.') },
      virtual: { name: 'process_virtual_memory_bytes', ...gauge('Virtual memory.') },
      openFds: { name: 'process_open_fds', ...gauge('Open file descriptors.') },
      maxFds: { name: 'process_max_fds', ...gauge('Most file descriptors it may open.') },
      version: {
        name: 'nodejs_version_info',
        ...gauge('The version of Node.'),
        labelNames: ['version', 'major', 'minor', 'patch'],
        aggregate: 'max',
      },
    },
    collect(observe) {
      const { user, system } = process.cpuUsage()
      observe.user(user / 1e6)
      observe.system(system / 1e6)
      observe.cpu((user + system) / 1e6)
      observe.started(startedSeconds)
      observe.resident(process.memoryUsage.rss())
      const { virtualBytes, openFds, maxFds } = linuxProcess()
      if (virtualBytes !== undefined) observe.virtual(virtualBytes)
      if (openFds !== undefined) observe.openFds(openFds)
      if (maxFds !== undefined) observe.maxFds(maxFds)
      observe.version(1, { version: process.version, major, minor, patch })
    },
  })
}

function observeEventLoop(registry: MetricsRegistry): () => void {
  const delay = new EventLoopDelay()
  const utilization = new EventLoopUtilization()
  const lag = (what: string) => ({
    ...gauge(`${what} event loop delay since the last scrape.`),
    aggregate: 'max' as const,
  })
  const remove = registry.observe({
    metrics: {
      min: { name: 'nodejs_eventloop_lag_min_seconds', ...lag('Smallest') },
      max: { name: 'nodejs_eventloop_lag_max_seconds', ...lag('Largest') },
      mean: { name: 'nodejs_eventloop_lag_mean_seconds', ...lag('Mean') },
      stddev: { name: 'nodejs_eventloop_lag_stddev_seconds', ...lag('Standard deviation of the') },
      p50: { name: 'nodejs_eventloop_lag_p50_seconds', ...lag('Median') },
      p90: { name: 'nodejs_eventloop_lag_p90_seconds', ...lag('90th percentile of the') },
      p99: { name: 'nodejs_eventloop_lag_p99_seconds', ...lag('99th percentile of the') },
      utilization: {
        name: 'nodejs_eventloop_utilization_ratio',
        ...gauge('Share of the time since the last scrape that the event loop was busy.'),
        aggregate: 'max',
      },
      resources: {
        name: 'nodejs_active_resources',
        ...gauge('Resources that keep the event loop alive, by type.'),
        labelNames: ['type'],
      },
    },
    collect(observe) {
      const { count, min, max, mean, stddev, p50, p90, p99 } = delay.read()
      // Until the first moment there is nothing to report.
      if (count > 0) {
        observe.min(min / 1000)
        observe.max(max / 1000)
        observe.mean(mean / 1000)
        observe.stddev(stddev / 1000)
        observe.p50(p50 / 1000)
        observe.p90(p90 / 1000)
        observe.p99(p99 / 1000)
      }
      observe.utilization(utilization.read())
      const resources = new Map<string, number>()
      for (const type of process.getActiveResourcesInfo()) {
        resources.set(type, (resources.get(type) ?? 0) + 1)
      }
      for (const [type, count] of resources) observe.resources(count, { type })
    },
  })
  return () => {
    remove()
    delay.close()
  }
}

function observeHeap(registry: MetricsRegistry): () => void {
  const space = (what: string) => ({
    ...gauge(`${what} bytes of each space of the heap.`),
    labelNames: ['space'] as const,
  })
  return registry.observe({
    metrics: {
      total: { name: 'nodejs_heap_size_total_bytes', ...gauge('Size of the heap.') },
      used: { name: 'nodejs_heap_size_used_bytes', ...gauge('Used part of the heap.') },
      external: { name: 'nodejs_external_memory_bytes', ...gauge('Memory bound to heap objects.') },
      buffers: { name: 'nodejs_array_buffers_bytes', ...gauge('Memory of array buffers.') },
      spaceTotal: { name: 'nodejs_heap_space_size_total_bytes', ...space('All') },
      spaceUsed: { name: 'nodejs_heap_space_size_used_bytes', ...space('Used') },
      spaceFree: { name: 'nodejs_heap_space_size_available_bytes', ...space('Available') },
    },
    collect(observe) {
      const { heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage()
      observe.total(heapTotal)
      observe.used(heapUsed)
      observe.external(external)
      observe.buffers(arrayBuffers)
      for (const statistics of getHeapSpaceStatistics()) {
        const labels = { space: statistics.space_name.replace(/_space$/, '') }
        observe.spaceTotal(statistics.space_size, labels)
        observe.spaceUsed(statistics.space_used_size, labels)
        observe.spaceFree(statistics.space_available_size, labels)
      }
    },
  })
}

function observeGarbageCollection(registry: MetricsRegistry): () => void {
  const duration = registry.histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Time garbage collection took, by kind.',
    labelNames: ['kind'],
    buckets: [0.001, 0.01, 0.1, 1, 2, 5],
  })
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail
      duration.observe({ kind: GC_KINDS[kind] ?? 'other' }, entry.duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    observer.disconnect()
    registry.remove(duration.name)
  }
}
