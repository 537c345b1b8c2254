/** Tells what is wrong with a value, or nothing; `path` is where in the answer it stands. */
export type Shape = (value: unknown, path: string) => string | undefined

type Type = 'string' | 'number' | 'boolean'

function ofType(type: Type): Shape {
  return (value, path) =>
    nameOf(value) === `a ${type}`
      ? undefined
      : `expected ${path} to be a ${type}, got ${nameOf(value)}`
}

export const string = ofType('string')
export const number = ofType('number')
export const boolean = ofType('boolean')

/** A value that may be `null`. */
export function nullable(shape: Shape): Shape {
  return (value, path) => (value === null ? undefined : shape(value, path))
}

/** A field that may be missing. */
export function optional(shape: Shape): Shape {
  return (value, path) => (value === undefined ? undefined : shape(value, path))
}

export function array(item: Shape): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) return `expected ${path} to be an array, got ${nameOf(value)}`
    return first(value.map((one, index) => [item, one, `${path}[${index}]`]))
  }
}

/** An object with these fields; a newer server may send more. */
export function object(fields: Readonly<Record<string, Shape>> = {}): Shape {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return `expected ${path} to be an object, got ${nameOf(value)}`
    }
    const own = value as Record<string, unknown>
    return first(
      Object.entries(fields).map(([name, shape]) => [
        shape,
        Object.hasOwn(own, name) ? own[name] : undefined,
        `${path}.${name}`,
      ]),
    )
  }
}

function first(checks: readonly [Shape, unknown, string][]): string | undefined {
  for (const [shape, value, path] of checks) {
    const problem = shape(value, path)
    if (problem !== undefined) return problem
  }
  return undefined
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
