import { relative, sep } from 'node:path'

/** Patterns, and characters of a pattern or a name, that are compared; what has more of them is kept. */
const MAX_PATTERNS = 200
const MAX_LENGTH = 256

/**
 * Whether a module must be kept although nothing of it is used, by `sideEffects` of its package: a boolean, or the
 * patterns of the files that must be.
 */
export function hasSideEffects(module: {
  path: string
  packageJson: object | undefined
  packageDirectory: string | undefined
}): boolean {
  const { path, packageJson, packageDirectory } = module
  const declared: unknown = (packageJson as { sideEffects?: unknown } | undefined)?.sideEffects
  if (declared === false) return false
  if (!Array.isArray(declared) || packageDirectory === undefined) return true
  const name = relative(packageDirectory, path).split(sep).join('/')
  if (declared.length > MAX_PATTERNS || name.length > MAX_LENGTH) return true
  return declared.some(
    (pattern) =>
      typeof pattern === 'string' && (pattern.length > MAX_LENGTH || matches(pattern, name)),
  )
}

/** `*` and `?` stay within a directory, `**` does not; a pattern without `/` matches in every directory. */
function matches(pattern: string, name: string): boolean {
  const whole = pattern.includes('/') ? pattern.replace(/^\.?\//, '') : `**/${pattern}`
  return matchAll(whole.split('/'), name.split('/'), '**', (part, text) =>
    matchAll(
      [...part],
      [...text],
      '*',
      (character, other) => character === '?' || character === other,
    ),
  )
}

/** Goes back only to the last `star`, which is enough, so that no pattern takes exponential time. */
function matchAll<T>(
  pattern: readonly T[],
  items: readonly T[],
  star: T,
  matchOne: (pattern: T, item: T) => boolean,
): boolean {
  let at = 0
  let lastStar = -1
  let resumeFrom = 0
  for (let item = 0; item < items.length; ) {
    if (pattern[at] === star) {
      lastStar = at++
      resumeFrom = item
    } else if (at < pattern.length && matchOne(pattern[at]!, items[item]!)) {
      at++
      item++
    } else if (lastStar >= 0) {
      at = lastStar + 1
      item = ++resumeFrom
    } else return false
  }
  while (pattern[at] === star) at++
  return at === pattern.length
}
