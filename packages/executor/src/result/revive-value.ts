import { type InspectOptions, inspect } from 'node:util'

/** Text that is shown without quotes. */
class Bare {
  constructor(readonly text: string) {}
  [inspect.custom](): string {
    return this.text
  }
}

const TYPED_ARRAYS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
}
const ERRORS = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }
/** Longest array of JavaScript. */
const MAX_LIST_LENGTH = 2 ** 32 - 1

type TypedArray = InstanceType<(typeof TYPED_ARRAYS)[keyof typeof TYPED_ARRAYS]>
type Collection = Map<unknown, unknown> | Set<unknown> | TypedArray

/** A collection of which only the first items are here. */
class CutCollection {
  constructor(
    readonly collection: Collection,
    readonly size: number,
  ) {}
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const count = this.size - sizeOf(this.collection)
    const more = `... ${count} more item${count > 1 ? 's' : ''}`
    return inspect(this.collection, options)
      .replace(/\(\d+\)/, `(${this.size})`)
      .replace(/(\s*)([}\]])$/, (_, space, bracket) =>
        space.includes('\n')
          ? `,${space}  ${more}${space}${bracket}`
          : `, ${more}${space}${bracket}`,
      )
  }
}

/**
 * A value that `inspect` of Node shows as it would show the guest's own.
 *
 * @param description see `guest/describe-value.ts`; a guest wrote it, and it may say anything
 */
export function reviveValue(description: unknown): unknown {
  return revive(description, [])
}

/** Sets the fields of an object from its description: names and values in turn. */
export function setFields(
  object: object,
  parts: readonly unknown[],
  from: number,
  next: (description: unknown) => unknown,
): void {
  for (let i = from; i + 1 < parts.length; i += 2) {
    const value = next(parts[i + 1])
    const field = { value, enumerable: true, configurable: true, writable: true }
    const name = parts[i]
    const key = Array.isArray(name) ? Symbol(textOf(name[1])) : textOf(name)
    Object.defineProperty(object, key, field)
  }
}

/** What an error says of itself, with the stack as Node writes it. */
export function errorTexts(parts: readonly unknown[]): {
  className: string
  name: string
  message: string
  stack: string
} {
  const [className = '', name = '', message = '', stack = ''] = parts.slice(1, 5).map(textOf)
  const title = message === '' ? name : `${name}: ${message}`
  const frames = stack.trimEnd()
  if (frames.startsWith(title)) return { className, name, message, stack: frames }
  return { className, name, message, stack: frames === '' ? title : `${title}\n${frames}` }
}

/** Whether a description is a value that JSON has. */
export function isPlain(description: unknown): boolean {
  return description === null || ['string', 'number', 'boolean'].includes(typeof description)
}

/** Whether a description stands for the item that an array does not have. */
export function isHole(description: unknown): boolean {
  return Array.isArray(description) && description[0] === 'h'
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

type Next = (description: unknown) => unknown

function revive(description: unknown, above: object[]): unknown {
  if (!Array.isArray(description)) {
    return isPlain(description) ? description : new Bare('[unknown]')
  }
  const [tag, ...parts] = description as [unknown, ...unknown[]]
  switch (tag) {
    case 'u':
      return undefined
    case 'n':
      return Number(parts[0])
    case 'b':
      return new Bare(`${textOf(parts[0])}n`)
    case 'x':
      return new Bare(textOf(parts[0]))
    case 'd':
      return new Date(typeof parts[0] === 'number' ? parts[0] : Number.NaN)
    case 'c':
      return above[Number(parts[0])] ?? new Bare('[Circular]')
    case 't':
      return reviveTypedArray(parts)
    case 'p':
      return reviveBoxed(parts[0])
    case 'f':
      return reviveMemory(parts)
    case 'k': {
      const value = revive(parts[1], above)
      if (!(value instanceof Map || value instanceof Set || Array.isArray(value))) return value
      nameClass(value, parts[0])
      return fill(value, above, (object, next) => setFields(object, parts, 2, next))
    }
    case 'a':
      return fill([], above, (list: unknown[], next) => fillList(list, parts, next))
    case 'm': {
      const map = fill(new Map(), above, (map: Map<unknown, unknown>, next) => {
        for (let i = 2; i + 1 < parts.length; i += 2) map.set(next(parts[i]), next(parts[i + 1]))
      })
      return withSize(map, parts[1])
    }
    case 's': {
      const set = fill(new Set(), above, (set: Set<unknown>, next) => {
        for (const item of parts.slice(2)) set.add(next(item))
      })
      return withSize(set, parts[1])
    }
    case 'e':
      return reviveError(parts, above)
    case 'o':
      return fill(objectOf(parts[1]), above, (object, next) => setFields(object, parts, 2, next))
    default:
      return new Bare('[unknown]')
  }
}

function fill<Value extends object>(
  value: Value,
  above: object[],
  write: (value: Value, next: Next) => void,
): Value {
  above.push(value)
  write(value, (description) => revive(description, above))
  above.pop()
  return value
}

function fillList(list: unknown[], parts: readonly unknown[], next: Next): void {
  for (const [i, item] of parts.slice(2).entries()) if (!isHole(item)) list[i] = next(item)
  const length = Number(parts[1])
  if (!(length > list.length && length <= MAX_LIST_LENGTH)) return
  // What is left out is counted by the length. Numbers are lined up where the first one left out is a number too.
  if (list.length > 0) list.push(list.at(-1))
  list.length = length
}

function reviveError(parts: readonly unknown[], above: object[]): Error {
  const { className, name, message, stack } = errorTexts(parts)
  const error = new (errorClass(className))(message)
  return fill(error, above, (_, next) => {
    if (error.name !== name) define(error, 'name', name)
    define(error, 'stack', stack)
    setFields(error, parts, 5, next)
    for (const hidden of ['cause', 'errors']) {
      if (hidden in error) Object.defineProperty(error, hidden, { enumerable: false })
    }
  })
}

function errorClass(className: string): ErrorConstructor {
  if (className === 'Error') return Error
  if (Object.hasOwn(ERRORS, className)) return ERRORS[className as keyof typeof ERRORS]
  const Named = class extends Error {}
  Object.defineProperty(Named, 'name', { value: className })
  return Named as ErrorConstructor
}

/** Makes a list, a map or a set one of a class that extends its own. */
function nameClass(value: object, className: unknown): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (className === null) Object.setPrototypeOf(value, null)
  if (typeof className !== 'string' || prototype === null) return
  const { constructor: Base } = prototype as { constructor: new () => object }
  if (Base.name === className) return
  const Named = class extends Base {}
  Object.defineProperty(Named, 'name', { value: className })
  Object.setPrototypeOf(value, Named.prototype)
}

function reviveBoxed(description: unknown): unknown {
  const isBig = Array.isArray(description) && description[0] === 'b'
  if (isBig && /^-?\d{1,400}$/.test(textOf(description[1]))) return Object(BigInt(description[1]))
  const value = revive(description, [])
  if (value instanceof Bare) return new Bare(`[${isBig ? 'BigInt' : 'Symbol'}: ${value.text}]`)
  return value === undefined || value === null ? new Bare('[unknown]') : Object(value)
}

/** Only what `inspect` shows of a large one is here. */
function reviveMemory([length, digits]: readonly unknown[]): unknown {
  const bytes = Buffer.from(textOf(digits), 'hex')
  if (bytes.length === length) return Uint8Array.from(bytes).buffer
  const shown = [...bytes.subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, '0'))
  const more = Number(length) - 50
  return new Bare(
    `ArrayBuffer { [Uint8Contents]: <${shown.join(' ')} ... ${more} more byte${more > 1 ? 's' : ''}>, byteLength: ${length} }`,
  )
}

/** An object that has the name of its class, and nothing else of it. */
function objectOf(kind: unknown): object {
  if (!Array.isArray(kind)) return objectOfClass(kind)
  const object = objectOfClass(kind[0])
  const tag = { value: textOf(kind[1]), configurable: true }
  const prototype: unknown = Object.getPrototypeOf(object)
  const isNamed = prototype !== null && prototype !== Object.prototype
  Object.defineProperty(isNamed ? (prototype as object) : object, Symbol.toStringTag, tag)
  return object
}

function objectOfClass(className: unknown): object {
  if (className === null) return Object.create(null)
  if (typeof className !== 'string' || className === 'Object') return {}
  const Named = class {}
  Object.defineProperty(Named, 'name', { value: className })
  return new Named()
}

function reviveTypedArray([className, length, ...items]: readonly unknown[]): object {
  if (typeof className !== 'string' || !Object.hasOwn(TYPED_ARRAYS, className)) {
    return new Bare('[a typed array]')
  }
  const isBig = className.startsWith('Big')
  try {
    const values = items.map((item) =>
      isBig ? BigInt(String((item as unknown[])[1])) : Number(revive(item, [])),
    )
    const kind = TYPED_ARRAYS[className as keyof typeof TYPED_ARRAYS] as {
      from(values: readonly unknown[]): TypedArray
    }
    return withSize(kind.from(values), length)
  } catch {
    return new Bare(`[${className}]`)
  }
}

function withSize(collection: Collection, size: unknown): object {
  return Number(size) > sizeOf(collection)
    ? new CutCollection(collection, Number(size))
    : collection
}

function sizeOf(collection: Collection): number {
  return 'size' in collection ? collection.size : collection.length
}

function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, configurable: true, writable: true })
}
