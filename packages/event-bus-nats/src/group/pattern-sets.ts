import { matchesPattern } from '@nexus/event-bus'

/** Patterns that processes of a group ask for, or asked for not long ago. */
export interface PatternSet {
  patterns: string[]
  /** Sequence from which on the group looks for them. */
  after: number
  /** When a process last said that it uses them: epoch milliseconds of the server's clock. */
  seenAtMs: number
}

/** A process says this often that it uses its patterns. */
export const CONFIRM_MS = 3_600_000
/** Patterns without a process are forgotten after this: until then their events wait for one. */
const FORGET_MS = 24 * CONFIRM_MS

/** Whether these patterns match a type. */
export function matchesAny(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, type))
}

/** Whether any of the sets asks for an event. */
export function isWanted(sets: readonly PatternSet[], type: string, sequence: number): boolean {
  return sets.some(({ patterns, after }) => sequence > after && matchesAny(patterns, type))
}

/** The sets with these patterns in use now, without those that are not used any more. */
export function withPatterns(
  sets: readonly PatternSet[],
  patterns: readonly string[],
  after: number,
  nowMs: number,
): PatternSet[] {
  const key = keyOf(patterns)
  const known = sets.find((set) => keyOf(set.patterns) === key)
  const others = sets.filter((set) => set !== known && nowMs - set.seenAtMs < FORGET_MS)
  return [...others, { patterns: [...patterns], after: known?.after ?? after, seenAtMs: nowMs }]
}

/** The narrowest pattern that takes in all sets: servers before 2.10 filter by one subject. */
export function commonPattern(sets: readonly PatternSet[]): string {
  const patterns = new Set(sets.flatMap((set) => set.patterns))
  const [only] = patterns
  return patterns.size === 1 ? only! : '>'
}

/** Tells sets apart, whatever the order of their patterns. */
export function keyOf(patterns: readonly string[]): string {
  return [...new Set(patterns)].sort().join(' ')
}
