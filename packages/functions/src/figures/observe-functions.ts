import type { MetricsRegistry } from '@nexus/metrics'
import type { FunctionHost } from '../function-host.js'

const counter = (name: string, help: string) =>
  ({ type: 'counter', name, help, labelNames: ['function'] }) as const

const metrics = {
  paused: {
    type: 'gauge',
    name: 'nexus_function_paused',
    help: '1 for a function that is paused, 0 for one that takes events.',
    labelNames: ['function'],
  },
  suspended: counter('nexus_suspensions_total', 'Times that calls of a function were suspended.'),
  imageBytes: counter(
    'nexus_suspension_image_bytes_total',
    'Bytes of the sealed images of suspended calls.',
  ),
  resumed: counter('nexus_suspensions_resumed_total', 'Suspended calls that went on.'),
  expired: counter('nexus_suspensions_expired_total', 'Waits whose time was over.'),
  refused: counter(
    'nexus_suspensions_refused_total',
    'Resumes that could not go on: the call had gone on before, or its image is refused.',
  ),
} as const

/**
 * Adds the figures of the functions of a host to a registry; they are read for each scrape.
 *
 * @returns a function that removes them again
 * @throws MetricsError `NAME_TAKEN` when the registry already has those of another host
 *
 * @example
 * ```ts
 * const detach = observeFunctions(registry, host)
 * ```
 */
export function observeFunctions(registry: MetricsRegistry, host: FunctionHost): () => void {
  return registry.observe({
    metrics,
    collect(observe) {
      for (const { name, paused } of host.functions) {
        observe.paused(paused ? 1 : 0, { function: name })
      }
      for (const [name, counts] of Object.entries(host.getStats().suspensions)) {
        const labels = { function: name }
        observe.suspended(counts.suspended, labels)
        observe.imageBytes(counts.imageBytes, labels)
        observe.resumed(counts.resumed, labels)
        observe.expired(counts.expired, labels)
        observe.refused(counts.refused, labels)
      }
    },
  })
}
