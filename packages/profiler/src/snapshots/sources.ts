/** What one function did since it was first called. */
export interface FunctionFigures {
  executions: number
  failed: number
  /** Failures by error code. */
  failuresByCode?: Readonly<Record<string, number>> | undefined
  durationUs: { avg: number; p95: number; max: number }
}

/** Figures of an instance pool. */
export interface PoolFigures {
  active?: number | undefined
  available?: number | undefined
  /** Calls that wait for an instance now. */
  waiting?: number | undefined
}

/** Figures of a cache; totals count from its start. */
export interface CacheFigures {
  /** Total of look-ups answered, by tier or in all. */
  hits?: number | Readonly<Record<string, number>> | undefined
  /** Total of look-ups that no tier answered. */
  misses?: number | undefined
  /** Total of entries dropped for space, by tier or in all. */
  evictions?: number | Readonly<Record<string, number>> | undefined
}

/** Figures of worker threads. */
export interface ThreadFigures {
  /** Total of threads terminated at a hard deadline. */
  kills?: number | undefined
}

/** Figures of all components that were read together. */
export interface ComponentFigures {
  functions?: Readonly<Record<string, FunctionFigures>> | undefined
  pool?: PoolFigures | undefined
  /** Of compiled code. */
  cache?: CacheFigures | undefined
  /** Of functions that are ready to be called, on whichever thread. */
  handlers?: CacheFigures | undefined
  threads?: ThreadFigures | undefined
}

/** Components whose figures belong in snapshots, and from which optimizations are told. */
export type PerformanceSources = {
  readonly [Component in keyof ComponentFigures]?: () =>
    | ComponentFigures[Component]
    | Promise<ComponentFigures[Component]>
}

/** Functions that a snapshot tells apart: those that took the most time. */
const MAX_FUNCTIONS = 200

/** Reads every source; one that fails is left out. */
export async function readSources(sources: PerformanceSources): Promise<ComponentFigures> {
  const read = async <C extends keyof ComponentFigures>(component: C) => {
    try {
      const figures = await sources[component]?.()
      return figures === undefined ? {} : { [component]: figures }
    } catch {
      // A component that is down must not keep the figures of the others from being seen.
      return {}
    }
  }
  const parts = await Promise.all(
    (['functions', 'pool', 'cache', 'handlers', 'threads'] as const).map((component) =>
      read(component),
    ),
  )
  const figures: ComponentFigures = Object.assign({}, ...parts)
  return figures.functions ? { ...figures, functions: costliest(figures.functions) } : figures
}

/** Snapshots are kept for long, so what each of them holds is bounded. */
function costliest(functions: NonNullable<ComponentFigures['functions']>) {
  const entries = Object.entries(functions)
  if (entries.length <= MAX_FUNCTIONS) return functions
  const timeOf = ({ executions, durationUs }: FunctionFigures) => executions * durationUs.avg
  return Object.fromEntries(
    entries.sort(([, a], [, b]) => timeOf(b) - timeOf(a)).slice(0, MAX_FUNCTIONS),
  )
}

/** A total that may be split by label. */
export function totalOf(figure: number | Readonly<Record<string, number>> | undefined): number {
  if (figure === undefined || typeof figure === 'number') return figure ?? 0
  return Object.values(figure).reduce((sum, part) => sum + part, 0)
}
