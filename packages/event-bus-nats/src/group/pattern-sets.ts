import { matchesPattern } from '@nexus/event-bus'

/** Patterns that processes of a group ask for, or asked for not long ago. */
export interface PatternSet {
  patterns: string[]
  /** Sequence from which on the group looks for them. */
  after: number
  /** When a process last said that it uses them: epoch milliseconds of the server's clock. */
  seenAtMs: number
  /** When a process that used them closed, unless another one has said since that it uses them. */
  leftAtMs?: number
}

/** A process says this often that it uses its patterns. */
export const CONFIRM_MS = 3_600_000
/** Patterns without a process are forgotten after this: until then their events wait for one. */
const FORGET_MS = 24 * CONFIRM_MS
/** Where a process left, others with the same patterns say within this time that they use them. */
export const LEFT_MS = 5_000

/** Whether these patterns match a type. */
export function matchesAny(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, type))
}

/** Whether any of the sets that are in use asks for an event. */
export function isWanted(
  sets: readonly PatternSet[],
  type: string,
  sequence: number,
  nowMs: number,
): boolean {
  return inUse(sets, nowMs).some(
    ({ patterns, after }) => sequence > after && matchesAny(patterns, type),
  )
}

/** The sets once a process with these patterns has joined, which are the newest then, or has said that it uses them. */
export function withPatterns(
  sets: readonly PatternSet[],
  patterns: readonly string[],
  after: number,
  nowMs: number,
  joins: boolean,
): PatternSet[] {
  const key = keyOf(patterns)
  const known = sets.find((set) => keyOf(set.patterns) === key)
  const own = { patterns: [...patterns], after: known?.after ?? after, seenAtMs: nowMs }
  const others = inUse(sets, nowMs).filter((set) => keyOf(set.patterns) !== key)
  return joins || known === sets.at(-1) ? [...others, own] : [own, ...others]
}

/** The sets once a process with these patterns has closed. */
export function withoutProcess(
  sets: readonly PatternSet[],
  patterns: readonly string[],
  nowMs: number,
): PatternSet[] {
  const key = keyOf(patterns)
  return sets.map((set) => (keyOf(set.patterns) === key ? { ...set, leftAtMs: nowMs } : set))
}

/** Those of the process that joined last stay, whether it runs or not. */
function inUse(sets: readonly PatternSet[], nowMs: number): PatternSet[] {
  return sets.filter(
    ({ seenAtMs, leftAtMs }, i) =>
      i === sets.length - 1 ||
      (nowMs - seenAtMs < FORGET_MS && (leftAtMs === undefined || nowMs - leftAtMs < LEFT_MS)),
  )
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
