import type { Optimization } from '../optimizations/optimization.js'
import type { UxImprovement } from '../pages/ux-improvement.js'

const RANK = { high: 0, poor: 0, medium: 1, 'needs-improvement': 1, low: 2 } as const

/** What is still to be done, the most severe first: suggestions that were not applied, then what visitors wait for. */
export function recommendationsOf(
  optimizations: readonly Optimization[],
  uxImprovements: readonly UxImprovement[],
): string[] {
  const found = [
    ...optimizations
      .filter(({ state }) => state === 'suggested')
      .map(({ severity, title, advice }) => ({ severity, text: `${title}. ${advice}` })),
    ...uxImprovements.map(({ severity, subject, suggestion }) => ({
      severity,
      text: `${subject}: ${suggestion}`,
    })),
  ]
  return found.sort((a, b) => RANK[a.severity] - RANK[b.severity]).map(({ text }) => text)
}
