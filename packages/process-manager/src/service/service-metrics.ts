import type { ServiceStatus } from './service.js'

/** What a service uses, all its instances together. */
export interface ServiceMetrics {
  /** Name of the service. */
  name: string
  /** 100 is one core. */
  cpuPercent: number
  /** Memory in RAM. */
  memoryBytes: number
  /** Since the latest start of an instance that runs; null when none does. */
  uptimeMs: number | null
  /** Starts after the first, of all instances. */
  restarts: number
}

/** The figures of a status. */
export function metricsOf({ name, instances }: ServiceStatus, now = Date.now()): ServiceMetrics {
  const starts = instances.flatMap(({ startedAt }) => (startedAt === null ? [] : [startedAt]))
  const sum = (figures: number[]) => figures.reduce((total, figure) => total + figure, 0)
  return {
    name,
    cpuPercent: sum(instances.map(({ cpuPercent }) => cpuPercent)),
    memoryBytes: sum(instances.map(({ memoryBytes }) => memoryBytes)),
    uptimeMs: starts.length === 0 ? null : Math.max(0, now - Math.max(...starts)),
    restarts: sum(instances.map(({ restarts }) => restarts)),
  }
}
