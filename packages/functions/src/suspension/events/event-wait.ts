import { createHash } from 'node:crypto'
import { type CloudEvent, matchesPattern } from '@nexus/event-bus'
import type { SuspensionWait } from '@nexus/executor'
import { SUSPENSION_SOURCE } from '../suspension-source.js'

type Match = Readonly<Record<string, string | number | boolean | null>>

/** What waits have in common whose events are looked up alike, whatever the words and the values in them. */
export interface WaitShape {
  /** The pattern, with `x` for each token that is a word. */
  tokens: string
  /** The paths of the match, sorted. */
  paths: string[]
}

/** Letters, since the kinds of states have nothing else. */
const KIND_LETTERS = 24

/** The waits for events among what a call waits for. */
export function eventWaits(wakes: readonly SuspensionWait[]): SuspensionWait[] {
  return wakes.filter(({ kind }) => kind === 'event')
}

/** Whether an event is one that a wait is for. What wakes calls itself is none. */
export function isWaitedFor(event: CloudEvent, { name, data }: SuspensionWait): boolean {
  if (event.source === SUSPENSION_SOURCE || !matchesPattern(name, event.type)) return false
  return Object.entries(matchOf(data)).every(([path, value]) => valueAt(event, path) === value)
}

/** How a wait is looked up. */
export function shapeOf({ name, data }: Pick<SuspensionWait, 'name' | 'data'>): WaitShape {
  const tokens = name.split('.').map((token) => (isWildcard(token) ? token : 'x'))
  return { tokens: tokens.join('.'), paths: Object.keys(matchOf(data)).toSorted() }
}

/** Names a shape. */
export function shapeId(shape: WaitShape): string {
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 32)
}

/** The kind of state under which a wait is found by the events that it is for. */
export function waitKind(wait: Pick<SuspensionWait, 'name' | 'data'>): string {
  const match = matchOf(wait.data)
  const values = shapeOf(wait).paths.map((path) => [path, match[path]!] as const)
  return kindOf(wait.name, values)
}

/** The kind of state under which the waits of a shape are that an event is for; undefined where it is for none. */
export function kindFor(event: CloudEvent, { tokens, paths }: WaitShape): string | undefined {
  const pattern = patternFor(event.type, tokens)
  const values = paths.map((path) => [path, valueAt(event, path)] as const)
  if (pattern === undefined || values.some(([, value]) => value === undefined)) return undefined
  return kindOf(pattern, values as [string, Match[string]][])
}

function kindOf(pattern: string, values: readonly (readonly [string, Match[string]])[]): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([pattern, values]))
    .digest()
  const letters = [...digest.subarray(0, KIND_LETTERS)].map((byte) => (byte % 26) + 97)
  return `w${String.fromCharCode(...letters)}`
}

/** The one pattern of these tokens that the type can match. */
function patternFor(type: string, tokens: string): string | undefined {
  const words = type.split('.')
  const pattern: string[] = []
  for (const [i, token] of tokens.split('.').entries()) {
    if (i >= words.length) return undefined
    if (token === '>') return [...pattern, token].join('.')
    pattern.push(isWildcard(token) ? token : words[i]!)
  }
  return pattern.length === words.length ? pattern.join('.') : undefined
}

function isWildcard(token: string): boolean {
  return token === '*' || token === '>'
}

function matchOf(data: unknown): Match {
  return (data ?? {}) as Match
}

/** What stands at a path in an event; undefined where it is nothing that can be matched. */
function valueAt(event: CloudEvent, path: string): Match[string] | undefined {
  let value: unknown = event
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return typeof value === 'object' && value !== null ? undefined : (value as Match[string])
}
