import type { ErrorStacks } from './error-stacks.js'
import type { Uncurry } from './uncurry.js'

/**
 * A value as JSON that a reader can show: a string, finite number, boolean or null as itself, all else as an array whose
 * first entry says what it is.
 *
 * - `['u']` undefined, `['n', text]` a number that JSON has not, `['b', digits]` a BigInt, `['x', text]` text without quotes
 * - `['o', id, className, name, value, …]` an object; the class is null for one without a prototype
 * - `['a', id, length, …values]` with `['h']` for a hole, `['m', id, size, …keys and values]`, `['s', id, size, …values]`, `['d', time]`
 * - `['e', id, className, name, message, stack, name, value, …]` an error
 * - `['t', className, length, …values]` a typed array, `['f', length, hexadecimal digits]` an ArrayBuffer
 * - `['p', value]` a primitive as an object, `['k', className, list, map or set, name, value, …]` one of a class of its own, or with fields
 * - for a class `[name, tag]` where `Symbol.toStringTag` says another name; for a name of a field `['y', description]` where it is a symbol
 * - `['c', id]` the object around it that has this id
 */
export type ValueDescription = string | number | boolean | null | [tag: string, ...parts: unknown[]]

/** How much of a value is described. */
export interface DescriptionLimits {
  /** Objects below this level are named only. */
  maxDepth: number
  /** Further items of a list are left out. */
  maxItems: number
  /** For a reader of the data: getters and `toJSON` are asked, and what lies too deep is an error. */
  asData: boolean
}

/** Describes any value for a log. Never throws but for values nested too deep `asData`, and for the limits of the call. */
export type DescribeValue = (value: unknown, limits: DescriptionLimits) => ValueDescription

/**
 * Makes the describer of the guest, which gets the source of this function: it may use nothing but its arguments and the globals of
 * the language, which it takes when it is made, before any handler runs.
 */
export function createDescriber(
  uncurry: Uncurry,
  framesOf: ErrorStacks['framesOf'],
): DescribeValue {
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const { keys, getPrototypeOf, getOwnPropertyDescriptor, getOwnPropertySymbols } = Object
  const { toStringTag } = Symbol
  const BOXED = [Number, String, Boolean, BigInt, Symbol].map(
    (kind) => [kind, uncurry(kind.prototype.valueOf as () => unknown)] as const,
  )
  const Bytes = Uint8Array
  const Memory = ArrayBuffer
  const toHex = uncurry((Bytes.prototype as unknown as { toHex(): string }).toHex)
  const [ToMap, ToSet, ToDate, Failure, Pending, Pattern, toText] = [
    Map,
    Set,
    Date,
    Error,
    Promise,
    RegExp,
    String,
  ]
  const push = uncurry(Array.prototype.push as (this: unknown[], ...items: unknown[]) => number)
  const pop = uncurry(Array.prototype.pop)
  const indexOf = uncurry(Array.prototype.indexOf as (this: unknown[], item: unknown) => number)
  const timeOf = uncurry(ToDate.prototype.getTime)
  const eachEntry = uncurry(ToMap.prototype.forEach)
  const eachMember = uncurry(ToSet.prototype.forEach)
  const sizeOf = (prototype: object) =>
    uncurry(getOwnPropertyDescriptor(prototype, 'size')!.get as (this: object) => number)
  const [sizeOfMap, sizeOfSet] = [sizeOf(ToMap.prototype), sizeOf(ToSet.prototype)]
  const patternText = uncurry(Pattern.prototype.toString)
  const TooDeep = RangeError
  /** Digits of a larger one take minutes. */
  const LARGEST = 2n ** 1024n
  const LONGEST_WITH_FIELDS = 1000
  /** One more than `inspect` shows. */
  const SHOWN_BYTES = 51

  const tryText = (read: () => unknown): string | undefined => {
    try {
      const value = read()
      return typeof value === 'string' ? value : undefined
    } catch {
      return undefined
    }
  }
  const classOf = (value: object): string | null => {
    const prototype = getPrototypeOf(value) as { constructor?: { name?: unknown } } | null
    if (prototype === null) return null
    return tryText(() => prototype.constructor?.name) || 'Object'
  }
  /** The name of its class, and what its tag says where that is another. */
  const kindOf = (value: object): string | null | [name: string | null, tag: string] => {
    const name = classOf(value)
    const tag = tryText(() => (value as { [toStringTag]?: unknown })[toStringTag])
    return tag === undefined || tag === '' || tag === name ? name : [name, tag]
  }
  const describeFunction = (value: object): ValueDescription => {
    const name = tryText(() => (value as { name?: unknown }).name)
    const own = getOwnPropertyDescriptor(value, 'prototype')
    if (own?.writable === false) {
      const base = tryText(() => (getPrototypeOf(value) as { name?: unknown } | null)?.name)
      return ['x', `[class ${name || '(anonymous)'}${base ? ` extends ${base}` : ''}]`]
    }
    const kind = classOf(value) ?? 'Function'
    return ['x', name ? `[${kind}: ${name}]` : `[${kind} (anonymous)]`]
  }
  const describePrimitive = (value: unknown): ValueDescription | undefined => {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        if (value - value === 0 && (value !== 0 || 1 / value > 0)) return value
        return ['n', value === 0 ? '-0' : toText(value)]
      case 'undefined':
        return ['u']
      case 'bigint':
        if (value > LARGEST || value < -LARGEST) return ['x', '[a very large BigInt]']
        return ['b', toText(value)]
      case 'symbol':
        return ['x', toText(value)]
      case 'function':
        return describeFunction(value)
      default:
        return value === null ? null : undefined
    }
  }

  return (root, { maxDepth, maxItems, asData }) => {
    const above: unknown[] = []

    const describeFields = (value: object, into: unknown[], skip: readonly string[]): void => {
      const names = keys(value)
      for (let i = 0; i < names.length && i < maxItems; i++) {
        const name = names[i]!
        if (indexOf(skip as unknown[], name) >= 0) continue
        push(into, name, describeField(value, name))
      }
      if (asData) return
      const symbols = getOwnPropertySymbols(value)
      for (let i = 0; i < symbols.length && i < maxItems; i++) {
        const symbol = symbols[i]!
        if (!getOwnPropertyDescriptor(value, symbol)?.enumerable) continue
        push(into, ['y', symbol.description ?? ''], describeField(value, symbol))
      }
    }
    /** A built-in of a class of its own, or with fields of its own. */
    const extended = (value: object, base: string, plain: ValueDescription): ValueDescription => {
      if (asData) return plain
      const name = classOf(value)
      const fields: unknown[] = []
      // To look for names takes time that grows with a list.
      const { length = 0 } = value as { length?: number }
      const indexes = isArray(value) ? keys(value).filter((key) => toText(+key >>> 0) === key) : []
      if (length <= LONGEST_WITH_FIELDS) describeFields(value, fields, indexes)
      return name === base && fields.length === 0
        ? plain
        : (['k', name, plain].concat(fields as never[]) as ValueDescription)
    }
    const describeField = (value: object, name: PropertyKey): ValueDescription => {
      if (!asData) {
        const field = getOwnPropertyDescriptor(value, name)
        if (field?.get) return ['x', field.set ? '[Getter/Setter]' : '[Getter]']
        if (field?.set) return ['x', '[Setter]']
      }
      let inner: unknown
      try {
        inner = (value as Record<PropertyKey, unknown>)[name]
      } catch (error) {
        const reason = tryText(() => (error as Error).message) ?? 'no reason given'
        return ['x', `[Getter: it throws: ${reason}]`]
      }
      return describe(inner)
    }
    const describeError = (value: Error, id: number): ValueDescription => {
      const name = tryText(() => value.name) ?? 'Error'
      const message = tryText(() => value.message) ?? ''
      const into: [string, ...unknown[]] = [
        'e',
        id,
        classOf(value) ?? 'Error',
        name,
        message,
        tryText(() => framesOf(value)) ?? '',
      ]
      for (const hidden of ['cause', 'errors']) {
        const field = getOwnPropertyDescriptor(value, hidden)
        if (field !== undefined) push(into, hidden, describeField(value, hidden))
      }
      describeFields(value, into, ['name', 'message', 'stack', 'cause', 'errors'])
      return into
    }
    const describeObject = (value: object, id: number): ValueDescription => {
      if (isArray(value)) {
        const into: [string, ...unknown[]] = ['a', id, value.length]
        for (let i = 0; i < value.length && i < maxItems; i++) {
          push(into, i in value ? describe(value[i]) : ['h'])
        }
        return extended(value, 'Array', into)
      }
      if (value instanceof Failure) return describeError(value, id)
      if (value instanceof ToDate) return ['d', timeOf(value)]
      if (value instanceof Pattern) return ['x', patternText(value)]
      if (value instanceof Pending) return ['x', 'Promise']
      if (value instanceof ToMap) {
        const into: [string, ...unknown[]] = ['m', id, sizeOfMap(value as Map<unknown, unknown>)]
        eachEntry(value as Map<unknown, unknown>, (inner, key) => {
          if (into.length < 2 * maxItems + 3) push(into, describe(key), describe(inner))
        })
        return extended(value, 'Map', into)
      }
      if (value instanceof ToSet) {
        const into: [string, ...unknown[]] = ['s', id, sizeOfSet(value as Set<unknown>)]
        eachMember(value as Set<unknown>, (inner) => {
          if (into.length < maxItems + 3) push(into, describe(inner))
        })
        return extended(value, 'Set', into)
      }
      if (isView(value) && 'length' in value) {
        const list = value as unknown as ArrayLike<number | bigint>
        const into: [string, ...unknown[]] = ['t', classOf(value), list.length]
        for (let i = 0; i < list.length && i < maxItems; i++) push(into, describe(list[i]))
        return into
      }
      if (!asData && value instanceof Memory) {
        const bytes = new Bytes(value)
        return ['f', bytes.length, toHex(bytes.subarray(0, SHOWN_BYTES))]
      }
      if (!asData) {
        for (let i = 0; i < BOXED.length; i++) {
          const [kind, primitiveOf] = BOXED[i]!
          if (value instanceof kind) return ['p', describe(primitiveOf(value as never))]
        }
      }
      const into: [string, ...unknown[]] = ['o', id, asData ? classOf(value) : kindOf(value)]
      describeFields(value, into, [])
      return into
    }
    /** Of a class that extends one of these, which one. */
    const baseOf = (value: object): string => {
      const base = value instanceof ToMap ? 'Map' : value instanceof ToSet ? 'Set' : ''
      return base === '' || classOf(value) === base ? '' : ` [${base}]`
    }
    /** What has nothing in it is shown at any level. */
    const isEmpty = (value: object): boolean => {
      if (isArray(value)) return value.length === 0
      for (let i = 0; i < BOXED.length; i++) if (value instanceof BOXED[i]![0]) return true
      if (isView(value) || value instanceof Memory || value instanceof Failure) return false
      if (value instanceof ToMap && sizeOfMap(value) > 0) return false
      if (value instanceof ToSet && sizeOfSet(value) > 0) return false
      return keys(value).length === 0 && getOwnPropertySymbols(value).length === 0
    }
    const describe = (value: unknown): ValueDescription => {
      const primitive = describePrimitive(value)
      if (primitive !== undefined) return primitive
      const object = value as object
      const around = indexOf(above, object)
      if (around >= 0) return ['c', around]
      if (above.length > maxDepth && (asData || !isEmpty(object))) {
        if (asData) throw new TooDeep('nested too deep')
        return [
          'x',
          isArray(object)
            ? '[Array]'
            : `[${classOf(object) ?? 'Object: null prototype'}${baseOf(object)}]`,
        ]
      }
      push(above, object)
      try {
        if (asData && !(object instanceof ToDate)) {
          const { toJSON } = object as { toJSON?: unknown }
          if (typeof toJSON === 'function')
            return describe(uncurry(toJSON as () => unknown)(object))
        }
        return describeObject(object, above.length - 1)
      } catch (error) {
        if (error instanceof TooDeep) throw error
        return [
          'x',
          `[${tryText(() => (error as Error).message) ?? 'a value that cannot be shown'}]`,
        ]
      } finally {
        pop(above)
      }
    }
    return describe(root)
  }
}
