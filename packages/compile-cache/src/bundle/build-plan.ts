import type { SourceLocation } from '../errors.js'

/** What a build must know before it starts, and which only an earlier one of the same files can tell. */
export interface BuildPlan {
  /** Imports of a computed name, at the places of their arguments. */
  readonly computedImports: readonly SourceLocation[]
  /** Modules are asked for that are not there, and the code can do without all of them. */
  readonly hasAbsentModules: boolean
  /** `AsyncLocalStorage` is used: its values must be kept over `await`. */
  readonly keepsContexts: boolean
}

export const FIRST_PLAN: BuildPlan = {
  computedImports: [],
  hasAbsentModules: false,
  keepsContexts: false,
}

/** The plan with what a build turned out to need. */
export function withNeeds(
  plan: BuildPlan,
  needs: Pick<BuildPlan, 'hasAbsentModules' | 'keepsContexts'>,
): BuildPlan {
  return {
    ...plan,
    hasAbsentModules: plan.hasAbsentModules || needs.hasAbsentModules,
    keepsContexts: plan.keepsContexts || needs.keepsContexts,
  }
}

export function isSamePlan(a: BuildPlan, b: BuildPlan): boolean {
  return (
    a.computedImports === b.computedImports &&
    a.hasAbsentModules === b.hasAbsentModules &&
    a.keepsContexts === b.keepsContexts
  )
}
