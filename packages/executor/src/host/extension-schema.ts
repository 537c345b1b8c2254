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

/** Checks a value; without problems, `value` is what the schema made of it. */
export async function validate(
  schema: Schema,
  value: unknown,
): Promise<{ value: unknown; problems: Problem[] }> {
  if ('~standard' in schema) {
    const result = await schema['~standard'].validate(value)
    return { value: result.value, problems: (result.issues ?? []).map(problemOf) }
  }
  const { success, data, error } = schema.safeParse(value)
  if (success) return { value: data, problems: [] }
  const problems = (error?.issues ?? []).map(problemOf)
  return {
    value: undefined,
    problems: problems.length > 0 ? problems : [{ path: [], message: 'wrong value' }],
  }
}

function problemOf({ message, path = [] }: Issue): Problem {
  return {
    message,
    path: path.map((step) => String(typeof step === 'object' ? step.key : step)),
  }
}
