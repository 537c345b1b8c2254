import { matchesPattern } from '@nexus/event-bus'

/** Patterns that processes of a group ask for, or asked for not long ago. */
export interface PatternSet {
  patterns: string[]
  /** Sequence from which on the group looks for them. */
  after: number
  /** When a process with them joined last: epoch milliseconds of the server's clock. The set that joined last is the newest. */
  joinedAtMs: number
  /** When a process last said that it uses them: epoch milliseconds of the server's clock. */
  seenAtMs: number
  /** When a process that used them closed; another one may have said since that it uses them. */
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
  return setsInUse(sets, nowMs).some(
    ({ patterns, after }) => sequence > after && matchesAny(patterns, type),
  )
}

/** The sets once a process has said that it uses one of them; its place is by when it joined, not by when it says so. */
export function withProcess(
  sets: readonly PatternSet[],
  own: Omit<PatternSet, 'seenAtMs'>,
  nowMs: number,
): PatternSet[] {
  const known = sets.find((set) => isSame(set, own))
  const others = setsInUse(sets, nowMs).filter((set) => set !== known)
  const seenAtMs = Math.max(nowMs, (known?.leftAtMs ?? 0) + 1)
  return mergedSets(known === undefined ? others : [...others, known], [{ ...own, seenAtMs }])
}

/** The sets once a process with these patterns has closed. */
export function withoutProcess(
  sets: readonly PatternSet[],
  patterns: readonly string[],
  nowMs: number,
): PatternSet[] {
  return sets.map((set) =>
    isSame(set, { patterns }) ? { ...set, leftAtMs: Math.max(nowMs, set.seenAtMs) } : set,
  )
}

/** What two processes know of the sets of a group, whichever heard of it first. The newest is the last. */
export function mergedSets(
  some: readonly PatternSet[],
  others: readonly PatternSet[],
): PatternSet[] {
  const merged = [...some]
  for (const other of others) {
    const at = merged.findIndex((set) => isSame(set, other))
    if (at < 0) merged.push(other)
    else merged[at] = mergedSet(merged[at]!, other)
  }
  return merged.toSorted((a, b) => a.joinedAtMs - b.joinedAtMs)
}

function mergedSet(one: PatternSet, other: PatternSet): PatternSet {
  const leftAtMs = Math.max(one.leftAtMs ?? 0, other.leftAtMs ?? 0)
  return {
    patterns: other.patterns,
    after: Math.min(one.after, other.after),
    joinedAtMs: Math.max(one.joinedAtMs, other.joinedAtMs),
    seenAtMs: Math.max(one.seenAtMs, other.seenAtMs),
    ...(leftAtMs > 0 && { leftAtMs }),
  }
}

/** Whether a process that used the patterns closed, and none has said since that it uses them. */
export function hasLeft({ leftAtMs, seenAtMs }: PatternSet): boolean {
  return leftAtMs !== undefined && leftAtMs >= seenAtMs
}

/** Those of the process that joined last stay, whether it runs or not. */
export function setsInUse(sets: readonly PatternSet[], nowMs: number): PatternSet[] {
  return sets.filter(
    (set, i) =>
      i === sets.length - 1 ||
      (nowMs - set.seenAtMs < FORGET_MS && !(hasLeft(set) && nowMs - set.leftAtMs! >= LEFT_MS)),
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

function isSame(one: Pick<PatternSet, 'patterns'>, other: { patterns: readonly string[] }) {
  return keyOf(one.patterns) === keyOf(other.patterns)
}
