import { EventBusError } from '../errors.js'
import { unwantedCharacter } from './plain-text.js'

/** Tokens between dots; a token is `*` or has neither `*` nor `>`. */
const PATTERN = /^(?:\*|[^.*>]*)(?:\.(?:\*|[^.*>]*))*(?:\.>)?$/
/** Types have no more: see `encodeEvent`. */
const MAX_PATTERN_BYTES = 512

/**
 * Checks an event pattern: dot-separated tokens, `*` for one token, `>` at the end for the rest.
 *
 * @throws EventBusError `INVALID_PATTERN`
 */
export function assertPattern(pattern: unknown): asserts pattern is string {
  if (pattern === '>') return
  const fits =
    typeof pattern === 'string' &&
    pattern !== '' &&
    Buffer.byteLength(pattern) <= MAX_PATTERN_BYTES &&
    unwantedCharacter(pattern) === undefined &&
    PATTERN.test(pattern)
  if (fits) return
  throw new EventBusError(
    'INVALID_PATTERN',
    `pattern: expected dot-separated tokens where * is one token and a last > is the rest, such as com.example.order.*, at most ${MAX_PATTERN_BYTES} bytes; got ${JSON.stringify(pattern)?.slice(0, 80)}`,
    { details: { pattern } },
  )
}

/** Whether `type` matches `pattern`. */
export function matchesPattern(pattern: string, type: string): boolean {
  if (pattern === '>' || pattern === type) return true
  const wanted = pattern.split('.')
  const tokens = type.split('.')
  for (const [i, token] of wanted.entries()) {
    if (token === '>') return tokens.length > i
    if (i >= tokens.length || (token !== '*' && token !== tokens[i])) return false
  }
  return wanted.length === tokens.length
}

interface Node<T> {
  next: Map<string, Node<T>>
  /** Values whose pattern ends here. */
  exact: T[]
  /** Values whose pattern ends here with `>`. */
  rest: T[]
}

/** Finds the values whose patterns match a type in time that depends on the matches, not on how many there are. */
export class PatternIndex<T> {
  readonly #root: Node<T> = newNode()

  /** Adds a value under a pattern. */
  add(pattern: string, value: T): void {
    const tokens = pattern.split('.')
    const last = tokens.at(-1) === '>' ? tokens.pop() : undefined
    let node = this.#root
    for (const token of tokens) {
      const next: Node<T> = node.next.get(token) ?? newNode()
      node.next.set(token, next)
      node = next
    }
    ;(last === undefined ? node.exact : node.rest).push(value)
  }

  /** Removes a value that was added under the pattern. */
  remove(pattern: string, value: T): void {
    const tokens = pattern.split('.')
    const last = tokens.at(-1) === '>' ? tokens.pop() : undefined
    removeFrom(this.#root, tokens, 0, last !== undefined, value)
  }

  /** Each matching value once, however many of its patterns match. */
  match(type: string): Set<T> {
    const found = new Set<T>()
    collect(this.#root, type.split('.'), 0, found)
    return found
  }
}

function newNode<T>(): Node<T> {
  return { next: new Map(), exact: [], rest: [] }
}

function collect<T>(node: Node<T>, tokens: string[], depth: number, found: Set<T>): void {
  if (depth === tokens.length) {
    for (const value of node.exact) found.add(value)
    return
  }
  for (const value of node.rest) found.add(value)
  const named = node.next.get(tokens[depth]!)
  if (named !== undefined) collect(named, tokens, depth + 1, found)
  const any = node.next.get('*')
  if (any !== undefined) collect(any, tokens, depth + 1, found)
}

function removeFrom<T>(
  node: Node<T>,
  tokens: string[],
  depth: number,
  rest: boolean,
  value: T,
): void {
  if (depth === tokens.length) {
    const values = rest ? node.rest : node.exact
    const at = values.indexOf(value)
    if (at >= 0) values.splice(at, 1)
    return
  }
  const token = tokens[depth]!
  const next = node.next.get(token)
  if (next === undefined) return
  removeFrom(next, tokens, depth + 1, rest, value)
  if (next.next.size + next.exact.length + next.rest.length === 0) node.next.delete(token)
}
