/** What a JSON value is to look like. A description, so that tests can make an answer with every field of it. */
export type Shape =
  | { kind: 'string' | 'number' | 'boolean' }
  | { kind: 'nullable' | 'optional' | 'array' | 'record'; of: Shape }
  | { kind: 'object'; fields: Readonly<Record<string, Shape>> }

export const string: Shape = { kind: 'string' }
export const number: Shape = { kind: 'number' }
export const boolean: Shape = { kind: 'boolean' }

/** A value that may be `null`. */
export function nullable(of: Shape): Shape {
  return { kind: 'nullable', of }
}

/** A field that may be missing. */
export function optional(of: Shape): Shape {
  return { kind: 'optional', of }
}

export function array(of: Shape): Shape {
  return { kind: 'array', of }
}

/** An object with any fields of this shape. */
export function record(of: Shape): Shape {
  return { kind: 'record', of }
}

/** An object with these fields; a newer server may send more. */
export function object(fields: Readonly<Record<string, Shape>> = {}): Shape {
  return { kind: 'object', fields }
}

/** Tells what is wrong with a value, or nothing; `path` is where in the answer it stands. */
export function mismatch(shape: Shape, value: unknown, path: string): string | undefined {
  switch (shape.kind) {
    case 'nullable':
      return value === null ? undefined : mismatch(shape.of, value, path)
    case 'optional':
      return value === undefined ? undefined : mismatch(shape.of, value, path)
    case 'array':
      if (!Array.isArray(value)) return expected('an array', value, path)
      return first(value.entries(), ([index, one]) => mismatch(shape.of, one, `${path}[${index}]`))
    case 'record':
      if (!isRecord(value)) return expected('an object', value, path)
      return first(Object.entries(value), ([name, one]) =>
        mismatch(shape.of, one, `${path}.${name}`),
      )
    case 'object':
      if (!isRecord(value)) return expected('an object', value, path)
      return first(Object.entries(shape.fields), ([name, field]) => {
        const own = Object.hasOwn(value, name) ? value[name] : undefined
        return mismatch(field, own, `${path}.${name}`)
      })
    default:
      return typeof value === shape.kind ? undefined : expected(`a ${shape.kind}`, value, path)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function first<T>(
  items: Iterable<T>,
  problemOf: (item: T) => string | undefined,
): string | undefined {
  for (const item of items) {
    const problem = problemOf(item)
    if (problem !== undefined) return problem
  }
  return undefined
}

function expected(what: string, value: unknown, path: string): string {
  return `expected ${path} to be ${what}, got ${nameOf(value)}`
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
