/** Errors as Node makes them: with a `code`, which programs look at, and the same message. */

type ErrorClass = new (message: string) => Error

/** An error with a `code`, as Node's own modules throw it. */
export function nodeError<Fields extends object>(
  Base: ErrorClass,
  code: string,
  message: string,
  fields?: Fields,
): Error & { code: string } & Fields {
  return Object.assign(new Base(message), { code }, fields) as Error & { code: string } & Fields
}

/** `ERR_INVALID_ARG_TYPE`; `expected` is text such as `of type string`. */
export function invalidType(name: string, expected: string, actual: unknown): Error {
  const what = name.endsWith(' argument')
    ? `The ${name}`
    : `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`
  return nodeError(
    TypeError,
    'ERR_INVALID_ARG_TYPE',
    `${what} must be ${expected}.${received(actual)}`,
  )
}

/** `ERR_INVALID_ARG_VALUE` */
export function invalidValue(name: string, value: unknown, reason = 'is invalid'): Error {
  const kind = name.includes('.') ? 'property' : 'argument'
  return nodeError(
    TypeError,
    'ERR_INVALID_ARG_VALUE',
    `The ${kind} '${name}' ${reason}. Received ${shown(value)}`,
  )
}

/** `ERR_OUT_OF_RANGE` */
export function outOfRange(name: string, range: string, value: unknown): Error {
  let text: string
  if (Number.isInteger(value) && Math.abs(value as number) > 2 ** 32) text = grouped(String(value))
  else if (typeof value === 'bigint') {
    const isLarge = value > 2n ** 32n || value < -(2n ** 32n)
    text = `${isLarge ? grouped(String(value)) : String(value)}n`
  } else text = shown(value)
  return nodeError(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${text}`,
  )
}

/** @throws ERR_INVALID_ARG_TYPE */
export function assertString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value)
}

/** @throws ERR_INVALID_ARG_TYPE */
export function assertFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value)
}

/** @throws ERR_INVALID_ARG_TYPE */
export function assertObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidType(name, 'of type object', value)
  }
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function assertNumber(value: unknown, name: string, min?: number, max?: number): void {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
  const isBelow = min !== undefined && value < min
  const isAbove = max !== undefined && value > max
  if (!isBelow && !isAbove && !((min !== undefined || max !== undefined) && Number.isNaN(value))) {
    return
  }
  const lower = min === undefined ? '' : `>= ${min}`
  const upper = max === undefined ? '' : `<= ${max}`
  throw outOfRange(name, [lower, upper].filter(Boolean).join(' && '), value)
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function assertInteger(
  value: unknown,
  name: string,
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
): void {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value)
}

function received(value: unknown): string {
  if (value === null || value === undefined) return ` Received ${value}`
  if (typeof value === 'function') return ` Received function ${value.name}`
  if (typeof value === 'object') {
    const name = (value as { constructor?: { name?: string } }).constructor?.name
    return name ? ` Received an instance of ${name}` : ` Received ${shown(value)}`
  }
  return ` Received type ${typeof value} (${shown(value)})`
}

const MAX_SHOWN = 28

/** A value as `inspect` shows it, cut short. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = value.length > MAX_SHOWN ? `${value.slice(0, 25)}...` : value
    return text.includes("'") ? JSON.stringify(text) : `'${text}'`
  }
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(shown).join(', ')} ]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => `${key}: ${shown(field)}`)
    const isPlain = Object.getPrototypeOf(value) === null
    const body = fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
    return isPlain ? `[Object: null prototype] ${body}` : body
  }
  if (typeof value === 'function')
    return `[Function${value.name ? `: ${value.name}` : ' (anonymous)'}]`
  return String(value)
}

/** Digits in groups of three, as Node shows large numbers. */
function grouped(digits: string): string {
  const start = digits.startsWith('-') ? 1 : 0
  let end = digits.length
  let groups = ''
  for (; end >= start + 4; end -= 3) groups = `_${digits.slice(end - 3, end)}${groups}`
  return digits.slice(0, end) + groups
}
