/** What one function did since it was first called. */
export interface FunctionFigures {
  /** Calls that ended. */
  executions: number
  /** Calls that failed. */
  failed: number
  /** Failures by error code. */
  failuresByCode?: Readonly<Record<string, number>> | undefined
  /** How long the calls took, in microseconds. */
  durationUs: { avg: number; p95: number; max: number }
}

/** What the built-in rules look at: figures of the components of a program, read together. */
export interface ComponentFigures {
  /** By the name of the function. */
  functions?: Readonly<Record<string, FunctionFigures>> | undefined
  /** Of a pool: how many instances work and wait, and how many calls wait for one now. */
  pool?: { active?: number; available?: number; waiting?: number } | undefined
  /** Of a cache of compiled code; totals count from its start. */
  cache?: CacheCounts | undefined
  /** Of functions that are ready to be called, on all threads; totals count from their start. */
  handlers?: CacheCounts | undefined
  /** Of worker threads: how many were terminated at a hard deadline since the start. */
  threads?: { kills?: number } | undefined
}

/** Totals of a cache, by tier or in all: look-ups it answered, those it did not, entries removed for space. */
interface CacheCounts {
  hits?: number | Readonly<Record<string, number>> | undefined
  misses?: number | undefined
  evictions?: number | Readonly<Record<string, number>> | undefined
}

/** Functions that read the figures of components for a snapshot. The rules judge by them. */
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
