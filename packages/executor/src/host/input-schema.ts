import { clipText } from '../result/clip-text.js'

/** What `~standard` is in https://standardschema.dev, version 1: zod, valibot, arktype and others have it. */
interface StandardSchema<Output> {
  /** The interface of the standard. */
  readonly '~standard': {
    /** Checks a value. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    /** Only for the type checker. */
    readonly types?: { readonly output: Output } | undefined
  }
}

interface StandardResult<Output> {
  readonly value?: Output
  readonly issues?: readonly Issue[] | undefined
}

/** What validators without `~standard` have, such as zod 3 before 3.24. */
interface SafeParser<Output> {
  /** Checks a value; never throws. */
  safeParse(value: unknown): {
    success: boolean
    data?: Output
    error?: { issues: readonly Issue[] } | undefined
  }
}

interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A schema of a value: a Standard Schema, or anything with `safeParse`. */
export type Schema<Output = unknown> = StandardSchema<Output> | SafeParser<Output>

export interface Problem {
  path: string[]
  message: string
}

/** Most problems that the guest is told, of which a list of its own may have any number. */
const MAX_PROBLEMS = 10
const MAX_TEXT_LENGTH = 1024

/** Checks a value; without problems, `value` is what the schema made of it. */
export async function validate(
  schema: Schema,
  value: unknown,
): Promise<{ value: unknown; problems: Problem[] }> {
  if ('~standard' in schema) {
    const result = await schema['~standard'].validate(value)
    return { value: result.value, problems: problemsOf(result.issues) }
  }
  const { success, data, error } = schema.safeParse(value)
  if (success) return { value: data, problems: [] }
  const problems = problemsOf(error?.issues)
  return {
    value: undefined,
    problems: problems.length > 0 ? problems : [{ path: [], message: 'wrong value' }],
  }
}

function problemsOf(issues: readonly Issue[] = []): Problem[] {
  const hidden = issues.length - MAX_PROBLEMS
  const shown = issues.slice(0, MAX_PROBLEMS).map(problemOf)
  return hidden > 0 ? [...shown, { path: [], message: `and ${hidden} more problems` }] : shown
}

/** A schema of a map may name a key of the guest in a path, and that is any value. */
function problemOf({ message, path = [] }: Issue): Problem {
  return { message: textOf(message) ?? 'wrong value', path: path.map(stepOf) }
}

function stepOf(step: unknown): string {
  const key: unknown = typeof step === 'object' ? (step as { key?: unknown } | null)?.key : step
  return textOf(key) ?? '(a key that is no text)'
}

/** The text of a primitive value; any other could run code of the guest, or never end. */
function textOf(value: unknown): string | undefined {
  const isText = ['string', 'number', 'symbol'].includes(typeof value)
  return isText ? clipText(String(value), MAX_TEXT_LENGTH) : undefined
}
