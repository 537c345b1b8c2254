/**
 * Whether one of the granted tokens covers what is asked for.
 *
 * A token is segments between colons, the last one a dot-separated pattern in which `*` is one
 * part and `>` is all the rest: `events:emit:com.nexus.order.*` covers
 * `events:emit:com.nexus.order.totalled`, and `events:wait:com.>` covers `events:wait:com.*`.
 */
export function isGranted(granted: readonly string[], asked: string): boolean {
  for (const token of granted) {
    if (token === asked || matches(token, asked)) return true
  }
  return false
}

function matches(token: string, asked: string): boolean {
  const tokenAt = token.lastIndexOf(':') + 1
  const askedAt = asked.lastIndexOf(':') + 1
  if (token.slice(0, tokenAt) !== asked.slice(0, askedAt)) return false
  const pattern = token.slice(tokenAt).split('.')
  const parts = asked.slice(askedAt).split('.')
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === '>') return parts.length > i
    // What is asked for may be a pattern itself: `*` is one part, and does not cover the rest.
    const isCovered = pattern[i] === '*' ? parts[i] !== '>' : pattern[i] === parts[i]
    if (i >= parts.length || !isCovered) return false
  }
  return parts.length === pattern.length
}
