/** Turns values into text that carries more than JSON, and back. */
export interface ValueCodec {
  /**
   * @throws TypeError naming the path of what cannot cross, such as `value.rows[2].onClick`
   */
  encode(value: unknown, name: string): string
  /** @throws TypeError when `text` is not what {@link encode} gives */
  decode(text: string): unknown
}

export interface Base64 {
  toBase64(bytes: Uint8Array): string
  fromBase64(text: string): Uint8Array
}

/**
 * The codec of both sides of a host call: the host calls this function, the guest gets its source.
 * It must therefore use nothing but its argument and the globals of the language, which it takes
 * when it is made, before any handler runs.
 *
 * The text is `=` and JSON where that says all, as it does for most values. Otherwise it is JSON of a
 * list of nodes. A node that another refers to stands once, so that cycles and shared objects
 * survive, and neither side recurses however deep a value is. A slot is a
 * string, a number, a boolean or null as itself, or an array: `[index]` of a node, `['u']` for
 * undefined, `['n', text]` for a number that JSON has not, `['b', digits]` for a BigInt. The first
 * entry of the list is the slot of the whole value. A node is a plain object of slots, or an array
 * whose first entry says what the rest is.
 */
export function createValueCodec({ toBase64, fromBase64 }: Base64): ValueCodec {
  type Slot = string | number | boolean | null | [number] | [string, string?]
  type Node = { [key: string]: Slot } | unknown[]
  interface Origin {
    parent: Origin | undefined
    step: string
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
  const mapGet = uncurry(ToMap.prototype.get)
  const mapSet = uncurry(ToMap.prototype.set)
  const setAdd = uncurry(ToSet.prototype.add)
  const SIMPLE_KEY = /^[A-Za-z_$][\w$]*$/
  const sliced = uncurry(toText.prototype.slice)
  const matches = uncurry(Pattern.prototype.test)

  const pathOf = (origin: Origin): string => {
    let path = ''
    for (let at: Origin | undefined = origin; at; at = at.parent) path = at.step + path
    return path
  }
  const keyStep = (key: string) => (matches(SIMPLE_KEY, key) ? `.${key}` : `[${stringify(key)}]`)
  const refuse = (what: string, origin: Origin): never => {
    throw new WrongType(`${pathOf(origin)} is ${what}, which cannot cross between guest and host`)
  }
  const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

  /** How much is looked at before a value is taken for one that JSON cannot carry. */
  const MAX_PLAIN_DEPTH = 64
  const MAX_PLAIN_VALUES = 100_000
  let budget = 0
  const isPlain = (value: unknown, depth: number): boolean => {
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
    if (depth === MAX_PLAIN_DEPTH) return false
    if (isArray(value)) {
      budget -= value.length
      if (budget < 0) return false
      for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth + 1)) return false
      return true
    }
    const prototype: unknown = getPrototypeOf(value)
    if (prototype !== objectPrototype && prototype !== null) return false
    const names = keys(value)
    budget -= names.length
    if (budget < 0) return false
    for (let i = 0; i < names.length; i++) {
      if (!isPlain((value as Record<string, unknown>)[names[i]!], depth + 1)) return false
    }
    return true
  }

  const encode = (root: unknown, name: string): string => {
    budget = MAX_PLAIN_VALUES
    if (isPlain(root, 0)) return `=${stringify(root)}`
    const nodes: unknown[] = [null]
    const indexes = new ToMap<unknown, number>()
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
          return ['b', toText(value)]
        case 'function':
        case 'symbol':
          return refuse(`a ${typeof value}`, origin)
      }
      if (value === null) return null
      const known = mapGet(indexes as Map<unknown, unknown>, value) as number | undefined
      if (known !== undefined) return [known]
      const index = nodes.length
      mapSet(indexes as Map<unknown, unknown>, value, index)
      nodes[index] = null
      objects[index] = value as object
      origins[index] = origin
      return [index]
    }
    const bytesOf = (buffer: ArrayBufferLike, from: number, length: number, origin: Origin) =>
      buffer instanceof Buffers
        ? toBase64(new Bytes(buffer, from, length))
        : refuse('shared memory', origin)

    const node = (value: object, origin: Origin): Node => {
      const child = (inner: unknown, step: string) => slot(inner, { parent: origin, step })
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
      const { toJSON } = value as { toJSON?: unknown }
      if (typeof toJSON === 'function' && getPrototypeOf(value) !== null) {
        return ['J', child((value as { toJSON(): unknown }).toJSON(), '')]
      }
      const fields = { __proto__: null } as unknown as { [key: string]: Slot }
      const names = keys(value)
      for (let i = 0; i < names.length; i++) {
        const key = names[i]!
        fields[key] = child((value as Record<string, unknown>)[key], keyStep(key))
      }
      return fields
    }

    nodes[0] = slot(root, { parent: undefined, step: name })
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

    /** A `J` node is its content: what its toJSON gave. */
    const resolve = (index: unknown): unknown => {
      let at = index
      for (let hops = 0; hops <= nodes.length; hops++) {
        if (typeof at !== 'number' || at < 1 || at >= nodes.length || at % 1 !== 0)
          return malformed()
        const node: unknown = nodes[at]
        if (!isArray(node) || node[0] !== 'J') return made[at]
        const inner: unknown = node[1]
        if (!isArray(inner) || typeof inner[0] !== 'number') return slotValue(inner)
        at = inner[0]
      }
      return malformed()
    }
    const slotValue = (slot: unknown): unknown => {
      if (!isArray(slot)) return typeof slot === 'object' && slot !== null ? malformed() : slot
      const tag: unknown = slot[0]
      if (tag === 'u') return undefined
      if (tag === 'n') return ToNumber(slot[1])
      if (tag === 'b') return typeof slot[1] === 'string' ? ToBigInt(slot[1]) : malformed()
      return resolve(tag)
    }
    const bytes = (encoded: unknown): ArrayBuffer => {
      const decoded = fromBase64(typeof encoded === 'string' ? encoded : malformed())
      // A buffer of its own: the host's base64 decoder hands out slices of a shared pool.
      return new Bytes(decoded).buffer
    }
    const shell = (node: unknown): unknown => {
      if (!isArray(node)) return typeof node === 'object' && node !== null ? {} : malformed()
      switch (node[0]) {
        case 'A':
          return []
        case 'D':
          return new ToDate(slotValue(node[1]) as number)
        case 'M':
          return new ToMap()
        case 'S':
          return new ToSet()
        case 'B':
          return bytes(node[1])
        case 'T': {
          const kind =
            typeof node[1] === 'string' && arrayNames.includes(node[1]) ? node[1] : malformed()
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
        case 'J':
          return undefined
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

  return { encode, decode }
}
