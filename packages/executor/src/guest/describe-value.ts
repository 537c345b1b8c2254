/**
 * A value as JSON that a reader can show: a string, finite number, boolean or null as itself, all else as an array whose
 * first entry says what it is.
 *
 * - `['u']` undefined, `['n', text]` a number that JSON has not, `['b', digits]` a BigInt, `['x', text]` text without quotes
 * - `['o', id, className, name, value, …]` an object; the class is null for one without a prototype
 * - `['a', id, length, …values]` with `['h']` for a hole, `['m', id, size, …keys and values]`, `['s', id, size, …values]`, `['d', time]`
 * - `['e', id, className, name, message, stack, name, value, …]` an error
 * - `['t', className, length, …values]` a typed array
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

/** Makes a function of a method: `this` is its first argument. A guest may replace `call` and `bind`. */
export type Uncurry = <This, Args extends unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
) => (self: This, ...args: Args) => Result

/** Describes any value for a log. Never throws but for values nested too deep `asData`, and for the limits of the call. */
export type DescribeValue = (value: unknown, limits: DescriptionLimits) => ValueDescription

/**
 * Makes the describer of the guest, which gets the source of this function: it may use nothing but its argument and the globals of
 * the language, which it takes when it is made, before any handler runs.
 */
export function createDescriber(uncurry: Uncurry): DescribeValue {
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const { keys, getPrototypeOf, getOwnPropertyDescriptor } = Object
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
    }
    const describeField = (value: object, name: string): ValueDescription => {
      if (!asData) {
        const field = getOwnPropertyDescriptor(value, name)
        if (field?.get) return ['x', field.set ? '[Getter/Setter]' : '[Getter]']
        if (field?.set) return ['x', '[Setter]']
      }
      let inner: unknown
      try {
        inner = (value as Record<string, unknown>)[name]
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
        tryText(() => value.stack) ?? '',
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
        return into
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
        return into
      }
      if (value instanceof ToSet) {
        const into: [string, ...unknown[]] = ['s', id, sizeOfSet(value as Set<unknown>)]
        eachMember(value as Set<unknown>, (inner) => {
          if (into.length < maxItems + 3) push(into, describe(inner))
        })
        return into
      }
      if (isView(value) && 'length' in value) {
        const list = value as unknown as ArrayLike<number | bigint>
        const into: [string, ...unknown[]] = ['t', classOf(value), list.length]
        for (let i = 0; i < list.length && i < maxItems; i++) push(into, describe(list[i]))
        return into
      }
      const into: [string, ...unknown[]] = ['o', id, classOf(value)]
      describeFields(value, into, [])
      return into
    }
    const describe = (value: unknown): ValueDescription => {
      const primitive = describePrimitive(value)
      if (primitive !== undefined) return primitive
      const object = value as object
      const around = indexOf(above, object)
      if (around >= 0) return ['c', around]
      if (above.length > maxDepth) {
        if (asData) throw new TooDeep('nested too deep')
        return [
          'x',
          isArray(object) ? '[Array]' : `[${classOf(object) ?? 'Object: null prototype'}]`,
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
