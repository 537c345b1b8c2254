import { meantIssues } from '@nexus/functions'
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigError, type Problem } from './diagnostics.js'
import { type ConfigFile, configSchema } from './schema.js'
import { suggest } from './suggest.js'

/** Where a value is in the file: keys and indexes from the root. */
export type ConfigPath = readonly PropertyKey[]

/** A valid file, and a way to complain about a place in it. */
export interface ParsedConfig {
  config: ConfigFile
  /** The mistake at the value that `path` leads to. */
  problemAt(path: ConfigPath, message: string): Problem
}

/**
 * Parses and checks the text of a `nexus.yaml`.
 *
 * @throws ConfigError with every mistake and its place
 */
export function parseConfig(text: string, file: string): ParsedConfig {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    // `<<: *defaults` takes the keys of an anchor.
    merge: true,
  })
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset)
    return { line, column: col }
  }
  if (document.errors.length > 0) {
    // What is never closed is noticed at the end of the file: show its last line, not the nothing after it.
    const end = text.trimEnd().length
    const problems = document.errors.map(({ message, pos }) => ({
      message,
      ...place(Math.min(pos[0], end)),
    }))
    throw new ConfigError(file, problems, text)
  }

  const problemAt = (path: ConfigPath, message: string): Problem => ({
    message,
    ...place(offsetOf(document, path)),
  })
  const result = configSchema.safeParse(toValue(document, file, text))
  if (!result.success) {
    const problems = result.error.issues.flatMap(meantIssues).flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            message: unknownKey(key, issue.path),
            ...place(keyOffset(document, issue.path, key)),
          }))
        : [problemAt(issue.path, explain(issue))],
    )
    problems.sort((a, b) => a.line - b.line || a.column - b.column)
    throw new ConfigError(file, problems, text)
  }
  return { config: result.data, problemAt }
}

function toValue(document: Document, file: string, text: string): unknown {
  try {
    return withoutAnchors(document.toJS() ?? {})
  } catch (cause) {
    // Aliases that multiply without end, or that have no anchor.
    const problem = { message: (cause as Error).message, line: 1, column: 1 }
    throw new ConfigError(file, [problem], text, { cause })
  }
}

/** Keys that begin with `x-` hold anchors for the rest of the file; Nexus reads nothing there. */
function withoutAnchors(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))
}

/** Start of the value at `path`, or of the nearest thing around it that the file has. */
function offsetOf(document: Document, path: ConfigPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

function keyOffset(document: Document, path: ConfigPath, key: string): number {
  const parent = document.getIn(path, true)
  const pair = isMap(parent)
    ? parent.items.find((item) => String(isNode(item.key) ? item.key : '') === key)
    : undefined
  return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : offsetOf(document, path)
}

function unknownKey(key: string, path: ConfigPath): string {
  const known = keysAt(path)
  const meant = suggest(key, known)
  const where = path.length > 0 ? ` in ${written(path)}` : ''
  const hint = meant ? `did you mean "${meant}"?` : `expected one of ${known.join(', ')}`
  return `unknown key "${key}"${where}; ${hint}`
}

/** The keys that the schema has at `path`. */
function keysAt(path: ConfigPath): string[] {
  let schema: unknown = configSchema
  for (const step of path) {
    const inner = unwrap(schema)
    schema = typeof step === 'number' ? inner.element : inner.shape?.[String(step)]
  }
  return Object.keys(unwrap(schema).shape ?? {})
}

interface SchemaParts {
  shape?: Record<string, unknown>
  /** Of a union: its shapes. */
  options?: readonly unknown[]
  element?: unknown
}

/** Looks through `.default()`, `.prefault()`, `.optional()` and unions. */
function unwrap(schema: unknown): SchemaParts {
  let inner = schema as SchemaParts & { unwrap?: () => unknown }
  while (inner.unwrap && !inner.element && !inner.shape) inner = inner.unwrap() as typeof inner
  const shapes = inner.options?.map((option) => option as SchemaParts)
  return shapes?.find(({ shape }) => shape) ?? inner
}

/** `functions[0].retry` */
function written(path: ConfigPath): string {
  return path
    .map((step, index) =>
      typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${String(step)}`,
    )
    .join('')
}

function explain(issue: z.core.$ZodIssue): string {
  const message = issue.message.replace(/^Invalid input: /, '')
  if (issue.path.length === 0) return message
  const absent = issue.code === 'invalid_type' && message.endsWith(', received undefined')
  return absent
    ? `${written(issue.path)} is missing: ${message.replace(/, received undefined$/, '')}`
    : `${written(issue.path)}: ${message}`
}
