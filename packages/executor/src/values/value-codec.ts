/** Turns values into text that carries more than JSON, and back. */
export interface ValueCodec {
  /**
   * @throws TypeError naming the path of what cannot cross, such as `value.rows[2].onClick`
   * @throws RangeError with the code `RESOURCE_LIMIT` and the path where a value is nested too deep
   */
  encode(value: unknown, name: string): string
  /** @throws TypeError when `text` is not what {@link encode} gives */
  decode(text: string): unknown
  /**
   * The path of a place that is nested too deep, such as `result.a[3].b`, in a value as JSON sees it.
   *
   * @returns `undefined` when there is none
   */
  deepPlace(value: unknown, name: string): string | undefined
  /** The error about a value that is nested too deep at `path`. */
  tooDeep(path: string): Error
  /** Whether JSON says all of a value, of at most 250,000 values, that is not nested too deep. */
  isPlain(value: unknown): boolean
}

/** What the codec of each side gets from outside. */
export interface CodecParts {
  toBase64(bytes: Uint8Array): string
  fromBase64(text: string): Uint8Array
  maxNesting: number
}

/**
 * The codec of both sides of a host call: the host calls this function, the guest gets its source.
 * It must therefore use nothing but its argument and the globals of the language, which it takes
 * when it is made, before any handler runs.
 *
 * The text is `=` and JSON where that says all, as it does for most values. Otherwise it is JSON of a
 * list of nodes. A node that another refers to stands once, so that cycles and shared objects
 * survive, and neither side recurses. A slot is a
 * string, a number, a boolean or null as itself, or an array: `[index]` of a node, `['u']` for
 * undefined, `['n', text]` for a number that JSON has not, `['b', digits]` for a BigInt, in base 16
 * because that is read in linear time. The first
 * entry of the list is the slot of the whole value. A node is a plain object of slots, or an array
 * whose first entry says what the rest is. Every reference is followed by one look into the list, so
 * that decoding is linear in the text, also in a text that an attacker wrote.
 */
export function createValueCodec({ toBase64, fromBase64, maxNesting }: CodecParts): ValueCodec {
  type Slot = string | number | boolean | null | [number] | [string, string?]
  type Node = { [key: string]: Slot } | unknown[]
  interface Origin {
    parent: Origin | undefined
    step: string
    depth: number
  }
  const { parse, stringify } = JSON
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const { is, keys, getPrototypeOf, defineProperty } = Object
  const toText = String
  const objectPrototype = Object.prototype
  const [ToMap, ToSet, ToDate, ToBigInt, ToNumber] = [Map, Set, Date, BigInt, Number]
  const [Failure, Bytes, Buffers, WeakRefs] = [Error, Uint8Array, ArrayBuffer, WeakMap]
  const [WrongType, Pending, Pattern, Weak] = [TypeError, Promise, RegExp, WeakSet]
  const OutOfRange = RangeError
  const arrays: Record<string, new (buffer: ArrayBuffer) => ArrayBufferView> = {
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
    DataView,
  }
  const arrayNames = keys(arrays)
  const errors = { __proto__: null, TypeError, RangeError, SyntaxError } as unknown as Record<
    string,
    ErrorConstructor | undefined
  >
  const uncurry = <This, Args extends unknown[], Result>(
    method: (this: This, ...args: Args) => Result,
  ): ((self: This, ...args: Args) => Result) => Function.prototype.call.bind(method) as never
  const timeOf = uncurry(ToDate.prototype.getTime)
  const eachEntry = uncurry(ToMap.prototype.forEach)
  const eachMember = uncurry(ToSet.prototype.forEach)
  const mapGet = uncurry(ToMap.prototype.get) as <V>(
    map: Map<unknown, V>,
    key: unknown,
  ) => V | undefined
  const mapSet = uncurry(ToMap.prototype.set) as <V>(
    map: Map<unknown, V>,
    key: unknown,
    value: V,
  ) => void
  const setAdd = uncurry(ToSet.prototype.add)
  const SIMPLE_KEY = /^[A-Za-z_$][\w$]*$/
  const HEX = /^-?[0-9a-f]+$/
  const SPECIAL_NUMBERS = ['NaN', 'Infinity', '-Infinity', '-0']
  const sliced = uncurry(toText.prototype.slice)
  const matches = uncurry(Pattern.prototype.test)
  const includes = uncurry(Array.prototype.includes as (this: unknown[], item: unknown) => boolean)
  const digitsOf = uncurry(ToBigInt.prototype.toString)

  const pathOf = (origin: Origin): string => {
    let path = ''
    for (let at: Origin | undefined = origin; at; at = at.parent) path = at.step + path
    return path
  }
  const keyStep = (key: string) => (matches(SIMPLE_KEY, key) ? `.${key}` : `[${stringify(key)}]`)
  const refuse = (what: string, origin: Origin): never => {
    throw new WrongType(`${pathOf(origin)} is ${what}, which cannot cross between guest and host`)
  }
  const tooDeep = (path: string): Error => {
    // One mark, at the end: a piece behind it could be the end of a secret.
    const shown = path.length > 200 ? `${sliced(path, 0, 199)}…` : path
    const error = new OutOfRange(`${shown} is nested deeper than ${maxNesting} levels`)
    ;(error as Error & { code?: string }).code = 'RESOURCE_LIMIT'
    return error
  }
  const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

  const MAX_PLAIN_DEPTH = 64
  /** How much is looked at before a value is taken for one that JSON cannot carry. */
  const MAX_PLAIN_VALUES = 250_000
  let budget = 0
  const isPlain = (value: unknown, levels: number): boolean => {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return true
      case 'number':
        return value - value === 0 && !is(value, -0)
      case 'object':
        break
      default:
        return false
    }
    if (value === null) return true
    if (levels === 0) return false
    if (isArray(value)) {
      budget -= value.length
      if (budget < 0) return false
      for (let i = 0; i < value.length; i++) if (!isPlain(value[i], levels - 1)) return false
      return true
    }
    const prototype: unknown = getPrototypeOf(value)
    if (prototype !== objectPrototype && prototype !== null) return false
    const names = keys(value)
    budget -= names.length
    if (budget < 0) return false
    for (let i = 0; i < names.length; i++) {
      if (!isPlain((value as Record<string, unknown>)[names[i]!], levels - 1)) return false
    }
    return true
  }

  const encode = (root: unknown, name: string): string => {
    budget = MAX_PLAIN_VALUES
    if (isPlain(root, MAX_PLAIN_DEPTH)) return `=${stringify(root)}`
    const nodes: unknown[] = [null]
    const slots = new ToMap<unknown, Slot>()
    const objects: object[] = []
    const origins: Origin[] = []

    const slot = (value: unknown, origin: Origin): Slot => {
      switch (typeof value) {
        case 'string':
        case 'boolean':
          return value
        case 'number':
          return value - value === 0 && !is(value, -0)
            ? value
            : ['n', is(value, -0) ? '-0' : toText(value)]
        case 'undefined':
          return ['u']
        case 'bigint':
          return ['b', digitsOf(value, 16)]
        case 'function':
        case 'symbol':
          return refuse(`a ${typeof value}`, origin)
      }
      if (value === null) return null
      const known = mapGet(slots, value)
      if (known !== undefined) return known
      if (!hasToJson(value as object)) return place(value as object, origin)
      // As JSON does: what it gives is taken as it is, whatever `toJSON` that has.
      const plain = (value as { toJSON(): unknown }).toJSON()
      const isObject = typeof plain === 'object' && plain !== null
      const made = isObject ? (mapGet(slots, plain) ?? place(plain, origin)) : slot(plain, origin)
      mapSet(slots, value, made)
      return made
    }
    const place = (value: object, origin: Origin): Slot => {
      if (origin.depth >= maxNesting) throw tooDeep(pathOf(origin))
      const index = nodes.length
      const made: Slot = [index]
      mapSet(slots, value, made)
      nodes[index] = null
      objects[index] = value
      origins[index] = origin
      return made
    }
    const hasToJson = (value: object): boolean => {
      if (
        isArray(value) ||
        value instanceof ToDate ||
        value instanceof ToMap ||
        value instanceof ToSet ||
        value instanceof Failure ||
        value instanceof Buffers ||
        isView(value)
      )
        return false
      const { toJSON } = value as { toJSON?: unknown }
      return typeof toJSON === 'function' && getPrototypeOf(value) !== null
    }
    const bytesOf = (buffer: ArrayBufferLike, from: number, length: number, origin: Origin) =>
      buffer instanceof Buffers
        ? toBase64(new Bytes(buffer, from, length))
        : refuse('shared memory', origin)

    const node = (value: object, origin: Origin): Node => {
      const depth = origin.depth + 1
      const child = (inner: unknown, step: string) => slot(inner, { parent: origin, step, depth })
      if (isArray(value)) {
        const list: unknown[] = ['A']
        for (let i = 0; i < value.length; i++) list[i + 1] = child(value[i], `[${i}]`)
        return list
      }
      if (value instanceof ToDate) return ['D', slot(timeOf(value), origin)]
      if (value instanceof ToMap) {
        const list: unknown[] = ['M']
        eachEntry(value as Map<unknown, unknown>, (inner, key) => {
          const at = (list.length - 1) / 2
          list[list.length] = child(key, `.keys()[${at}]`)
          list[list.length] = child(
            inner,
            typeof key === 'string' ? `.get(${stringify(key)})` : `.values()[${at}]`,
          )
        })
        return list
      }
      if (value instanceof ToSet) {
        const list: unknown[] = ['S']
        eachMember(value as Set<unknown>, (inner) => {
          list[list.length] = child(inner, `.values()[${list.length - 1}]`)
        })
        return list
      }
      if (value instanceof Buffers) return ['B', bytesOf(value, 0, value.byteLength, origin)]
      if (isView(value)) {
        for (let i = 0; i < arrayNames.length; i++) {
          const arrayName = arrayNames[i]!
          if (!(value instanceof arrays[arrayName]!)) continue
          return ['T', arrayName, bytesOf(value.buffer, value.byteOffset, value.byteLength, origin)]
        }
        return refuse('an array of a kind', origin)
      }
      if (value instanceof Failure) {
        const { name: kind, message, cause, code } = value as Error & { code?: unknown }
        const list: unknown[] = [
          'E',
          textOf(kind) ?? 'Error',
          textOf(message) ?? '',
          textOf(code) ?? null,
        ]
        if (cause !== undefined) list[4] = child(cause, '.cause')
        return list
      }
      if (value instanceof Pending) return refuse('a promise', origin)
      if (value instanceof WeakRefs || value instanceof Weak)
        return refuse('a weak collection', origin)
      if (value instanceof Pattern) return refuse('a regular expression', origin)
      const fields = { __proto__: null } as unknown as { [key: string]: Slot }
      const names = keys(value)
      for (let i = 0; i < names.length; i++) {
        const key = names[i]!
        fields[key] = child((value as Record<string, unknown>)[key], keyStep(key))
      }
      return fields
    }

    nodes[0] = slot(root, { parent: undefined, step: name, depth: 0 })
    for (let i = 1; i < nodes.length; i++) nodes[i] = node(objects[i]!, origins[i]!)
    return stringify(nodes)
  }

  const decode = (text: string): unknown => {
    const malformed = (): never => {
      throw new WrongType('This is not the text of a value')
    }
    if (text[0] === '=') return parse(sliced(text, 1))
    const nodes = parse(text) as unknown
    if (!isArray(nodes)) return malformed()
    const made: unknown[] = [null]

    const slotValue = (slot: unknown): unknown => {
      if (!isArray(slot)) return typeof slot === 'object' && slot !== null ? malformed() : slot
      const [tag, text] = slot as unknown[]
      if (typeof tag === 'number') {
        return tag >= 1 && tag < nodes.length && tag % 1 === 0 ? made[tag] : malformed()
      }
      if (tag === 'u') return undefined
      if (tag === 'n') return includes(SPECIAL_NUMBERS, text) ? ToNumber(text) : malformed()
      return tag === 'b' && typeof text === 'string' && matches(HEX, text)
        ? bigIntOf(text)
        : malformed()
    }
    const bigIntOf = (digits: string) =>
      digits[0] === '-' ? -ToBigInt(`0x${sliced(digits, 1)}`) : ToBigInt(`0x${digits}`)
    const bytes = (encoded: unknown): ArrayBuffer => {
      const decoded = fromBase64(typeof encoded === 'string' ? encoded : malformed())
      const { buffer } = decoded
      // The host's base64 decoder may hand out a slice of a buffer that others have slices of.
      return (
        buffer.byteLength === decoded.byteLength ? buffer : new Bytes(decoded).buffer
      ) as ArrayBuffer
    }
    const shell = (node: unknown): unknown => {
      if (!isArray(node)) return typeof node === 'object' && node !== null ? {} : malformed()
      switch (node[0]) {
        case 'A':
          return []
        case 'D': {
          const time = slotValue(node[1])
          return new ToDate(typeof time === 'number' ? time : malformed())
        }
        case 'M':
          return new ToMap()
        case 'S':
          return new ToSet()
        case 'B':
          return bytes(node[1])
        case 'T': {
          const kind =
            typeof node[1] === 'string' && includes(arrayNames, node[1]) ? node[1] : malformed()
          return new arrays[kind]!(bytes(node[2]))
        }
        case 'E': {
          const [, name, message, code] = node as unknown[]
          if (typeof name !== 'string' || typeof message !== 'string') return malformed()
          const error = new (errors[name] ?? Failure)(message)
          if (error.name !== name)
            defineProperty(error, 'name', { value: name, configurable: true, writable: true })
          if (typeof code === 'string') (error as Error & { code?: string }).code = code
          return error
        }
        default:
          return malformed()
      }
    }
    const fill = (node: unknown, target: unknown) => {
      if (!isArray(node)) {
        const names = keys(node as object)
        for (let i = 0; i < names.length; i++) {
          const key = names[i]!
          const value = slotValue((node as Record<string, unknown>)[key])
          if (key === '__proto__')
            defineProperty(target as object, key, {
              value,
              enumerable: true,
              configurable: true,
              writable: true,
            })
          else (target as Record<string, unknown>)[key] = value
        }
      } else if (node[0] === 'A') {
        for (let i = 1; i < node.length; i++) (target as unknown[])[i - 1] = slotValue(node[i])
      } else if (node[0] === 'M') {
        for (let i = 1; i + 1 < node.length; i += 2)
          mapSet(target as Map<unknown, unknown>, slotValue(node[i]), slotValue(node[i + 1]))
      } else if (node[0] === 'S') {
        for (let i = 1; i < node.length; i++) setAdd(target as Set<unknown>, slotValue(node[i]))
      } else if (node[0] === 'E' && node.length > 4) {
        defineProperty(target as object, 'cause', {
          value: slotValue(node[4]),
          configurable: true,
          writable: true,
        })
      }
    }
    for (let i = 1; i < nodes.length; i++) made[i] = shell(nodes[i])
    for (let i = 1; i < nodes.length; i++) fill(nodes[i], made[i])
    return slotValue(nodes[0])
  }

  const deepPlace = (root: unknown, name: string): string | undefined => {
    interface Open {
      value: object
      names: string[] | undefined
      next: number
      step: string
    }
    const open = (value: unknown, key: string, step: string): Open | undefined => {
      let seen = value
      try {
        if (typeof seen === 'object' && seen !== null) {
          const { toJSON } = seen as { toJSON?: (key: string) => unknown }
          if (typeof toJSON === 'function')
            seen = (seen as { toJSON(key: string): unknown }).toJSON(key)
        }
        if (typeof seen !== 'object' || seen === null) return undefined
        return { value: seen, names: isArray(seen) ? undefined : keys(seen), next: 0, step }
      } catch {
        return undefined
      }
    }
    const first = open(root, '', name)
    const path: Open[] = first ? [first] : []
    while (path.length > 0) {
      if (path.length > maxNesting) {
        let place = ''
        for (let i = 0; i < path.length; i++) place += path[i]!.step
        return place
      }
      const { value, names, next } = path[path.length - 1]!
      if (next >= (names ?? (value as unknown[])).length) {
        path.length--
        continue
      }
      path[path.length - 1]!.next++
      const key = names ? names[next]! : toText(next)
      let child: unknown
      try {
        child = (value as Record<string, unknown>)[key]
      } catch {}
      const entered = open(child, key, names ? keyStep(key) : `[${key}]`)
      if (entered) path[path.length] = entered
    }
    return undefined
  }

  return {
    encode,
    decode,
    deepPlace,
    tooDeep,
    isPlain(value) {
      budget = MAX_PLAIN_VALUES
      return isPlain(value, maxNesting)
    },
  }
}
