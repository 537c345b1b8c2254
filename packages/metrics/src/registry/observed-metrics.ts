import type { CounterDefinition, GaugeDefinition, Observe } from '../kinds/definition.js'

/** A counter or gauge that {@link MetricsRegistry.observe} reads; its definition without `collect`. */
export type ObservedDefinition =
  | ({ type: 'counter' } & Omit<CounterDefinition, 'collect'>)
  | ({ type: 'gauge' } & Omit<GaugeDefinition, 'collect'>)

/** Several metrics that one read fills. */
export interface ObservedMetrics<M extends Readonly<Record<string, ObservedDefinition>>> {
  /** The metrics, by a key of your choice. */
  metrics: M
  /** Called before each scrape, with one reporting function per metric; what it does not report is absent. */
  collect: (
    observe: {
      readonly [K in keyof M]: Observe<LabelNameOf<M[K]>>
    },
  ) => void | Promise<void>
}

type LabelNameOf<D> = D extends { labelNames: readonly (infer L extends string)[] } ? L : never
