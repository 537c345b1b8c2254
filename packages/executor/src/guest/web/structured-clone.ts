import type { GuestKit, PartExports } from '../platform/kit.js'

/**
 * Installs structuredClone in the guest. What cannot be cloned is a `DataCloneError`, never a silent loss. Memory that is
 * shared cannot be: there is one thread, and the engine has no second view of such memory to give.
 */
export function installStructuredClone(kit: GuestKit): PartExports['structured-clone'] {
  const { coded } = kit.need('argument-errors')
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const { keys, getPrototypeOf, getOwnPropertyDescriptor, prototype: ObjectPrototype } = Object
  const { call } = Function.prototype
  const uncurry = (method: (...args: never[]) => unknown) =>
    call.bind(method) as (self: unknown) => unknown
  const tagOf = uncurry(ObjectPrototype.toString) as (value: unknown) => string
  const getterOf = (prototype: object, key: PropertyKey) =>
    uncurry(getOwnPropertyDescriptor(prototype, key)!.get as () => unknown)
  const kindOfView = getterOf(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  const sizeOfMap = getterOf(Map.prototype, 'size')
  const sizeOfSet = getterOf(Set.prototype, 'size')
  const timeOf = uncurry(Date.prototype.getTime) as (date: object) => number
  const sourceOf = getterOf(RegExp.prototype, 'source') as (pattern: object) => string
  const flagsOf = getterOf(RegExp.prototype, 'flags') as (pattern: object) => string
  const ERRORS: Record<string, ErrorConstructor> = {
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  }
  const UNWRAPPED: Record<string, (value: unknown) => unknown> = {
    '[object Boolean]': uncurry(Boolean.prototype.valueOf),
    '[object Number]': uncurry(Number.prototype.valueOf),
    '[object String]': uncurry(String.prototype.valueOf),
    '[object BigInt]': uncurry(BigInt.prototype.valueOf),
  }
  /** Classes whose objects hold what their properties do not say. */
  const OPAQUE = [WeakMap, WeakSet, WeakRef, FinalizationRegistry, Promise, SharedArrayBuffer]
  /** Objects of these are the platform's; a plain object must not come of one. */
  const PLATFORM = [
    'URL',
    'URLSearchParams',
    'Headers',
    'Request',
    'Response',
    'FormData',
    'Event',
    'EventTarget',
    'TextDecoder',
    'TextEncoder',
    'ReadableStream',
    'WritableStream',
    'TransformStream',
    'AbortController',
  ]
  const GENERATORS = [function* () {}, async function* () {}].map((made) =>
    getPrototypeOf(getPrototypeOf(made).prototype),
  )
  const iteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()))

  // A proxy answers as its target does: only where it was made it can be told from it.
  const proxies = new WeakSet<object>()
  const EngineProxy = Proxy
  const engineRevocable = Proxy.revocable
  const construct = (target: object, handler: ProxyHandler<object>) => {
    const proxy = new EngineProxy(target, handler)
    proxies.add(proxy)
    return proxy
  }
  const revocable = (target: object, handler: ProxyHandler<object>) => {
    const made = engineRevocable(target, handler)
    proxies.add(made.proxy)
    return made
  }
  Object.defineProperty(EngineProxy, 'revocable', {
    value: revocable,
    writable: true,
    configurable: true,
  })
  globalThis.Proxy = new EngineProxy(EngineProxy, {
    construct: (_, [target, handler]) => construct(target, handler),
  })

  const refuse = (what: string): never => {
    throw new DOMException(`${what} could not be cloned.`, 'DataCloneError')
  }
  const shown = (value: unknown): string =>
    typeof value === 'symbol'
      ? String(value)
      : typeof value === 'function'
        ? `${value}`
        : '#<Object>'

  const succeeds = (read: (value: unknown) => unknown, value: object): boolean => {
    try {
      read(value)
      return true
    } catch {
      return false
    }
  }

  const clone = (
    root: unknown,
    transfer: Iterable<unknown>,
    arrivedPort: (port: object) => void,
  ) => {
    const messaging = kit.loaded('messaging')
    const blobs = kit.loaded('blob')
    const copyKey = kit.loaded('crypto')?.copyKey
    const copies = new Map<object, unknown>()
    const moving = new Set<ArrayBuffer>()
    /** How each that moves is taken, once all is known to be clonable. */
    const takes: (() => void)[] = []
    for (const item of transfer) {
      if (copies.has(item as object) || moving.has(item as ArrayBuffer)) {
        refuse('A value that is transferred twice')
      }
      if (item instanceof ArrayBuffer) {
        if (item.detached) refuse('An ArrayBuffer that is detached')
        moving.add(item)
      } else if (messaging && item instanceof messaging.MessagePort) {
        if (messaging.isDetached(item)) refuse('A MessagePort that is detached')
        const port = messaging.newPort()
        copies.set(item, port)
        takes.push(() => {
          messaging.move(item, port)
          arrivedPort(port)
        })
      } else if (typeof item === 'object' && item !== null) {
        refuse(isTransferable(item) ? 'A stream' : 'An object of the list of transfers')
      } else throw new TypeError('Found invalid object in transferList')
    }

    const copyBuffer = (buffer: ArrayBuffer): ArrayBuffer => {
      if (buffer.detached) refuse('An ArrayBuffer is detached and')
      if (!buffer.resizable) return buffer.slice(0)
      const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength })
      new Uint8Array(copy).set(new Uint8Array(buffer))
      return copy
    }
    const cloneBuffer = (buffer: ArrayBuffer): ArrayBuffer => {
      const known = copies.get(buffer) as ArrayBuffer | undefined
      if (known) return known
      const copy = copyBuffer(buffer)
      copies.set(buffer, copy)
      return copy
    }
    const cloneView = (view: ArrayBufferView): unknown => {
      const { buffer, byteOffset, byteLength } = view
      if (!(buffer instanceof ArrayBuffer)) refuse('A view of shared memory')
      const copy = cloneBuffer(buffer as ArrayBuffer)
      const kind = kindOfView(view) as keyof typeof globalThis | undefined
      if (kind === undefined) return new DataView(copy, byteOffset, byteLength)
      const View = globalThis[kind] as typeof Uint8Array
      return new View(copy, byteOffset, (view as Uint8Array).length)
    }

    const properties = (from: object, to: object) => {
      for (const key of keys(from)) {
        Object.defineProperty(to, key, {
          value: cloneAny((from as Record<string, unknown>)[key]),
          writable: true,
          enumerable: true,
          configurable: true,
        })
      }
    }
    const remember = <Copy extends object>(value: object, copy: Copy): Copy => {
      copies.set(value, copy)
      return copy
    }
    const cloneError = (error: Error): Error => {
      const name = error.name === undefined ? 'Error' : String(error.name)
      const copy = remember(error, new (ERRORS[name] ?? Error)())
      const set = (key: string, value: unknown) =>
        Object.defineProperty(copy, key, { value, writable: true, configurable: true })
      const message = getOwnPropertyDescriptor(error, 'message')
      if (message && 'value' in message) set('message', String(message.value))
      const { stack } = error
      if (typeof stack === 'string') set('stack', stack)
      const cause = getOwnPropertyDescriptor(error, 'cause')
      if (cause) set('cause', cloneAny(cause.value))
      return copy
    }
    const cloneObject = (value: object): unknown => {
      if (proxies.has(value) || value === globalThis) refuse('#<Object>')
      if (isArray(value)) {
        const copy = remember(value, [] as unknown[])
        copy.length = value.length
        properties(value, copy)
        return copy
      }
      const prototype = getPrototypeOf(value)
      const tag = tagOf(value)
      if (tag === '[object Object]' && (prototype === ObjectPrototype || prototype === null)) {
        const copy = remember(value, {})
        properties(value, copy)
        return copy
      }
      if (value instanceof DOMException) {
        const { message, name, stack } = value
        const copy = remember(value, new DOMException(message, name))
        Object.defineProperty(copy, 'stack', { value: stack, writable: true, configurable: true })
        return copy
      }
      if (tag === '[object Error]' || value instanceof Error) {
        return cloneError(value as Error)
      }
      if (isView(value)) return remember(value, cloneView(value) as object)
      if (value instanceof ArrayBuffer) return cloneBuffer(value)
      if (succeeds(sizeOfMap, value)) {
        const copy = remember(value, new Map())
        for (const [key, item] of [...(value as Map<unknown, unknown>)]) {
          copy.set(cloneAny(key), cloneAny(item))
        }
        return copy
      }
      if (succeeds(sizeOfSet, value)) {
        const copy = remember(value, new Set())
        for (const item of [...(value as Set<unknown>)]) copy.add(cloneAny(item))
        return copy
      }
      if (tag === '[object Date]') return remember(value, new Date(timeOf(value)))
      if (tag === '[object RegExp]') {
        return remember(value, new RegExp(sourceOf(value), flagsOf(value)))
      }
      const unwrap = UNWRAPPED[tag]
      if (unwrap && succeeds(unwrap, value)) return remember(value, Object(unwrap(value)))
      if (blobs && value instanceof blobs.File) {
        const { name, type, lastModified } = value
        return remember(value, new blobs.File([value], name, { type, lastModified }))
      }
      if (blobs && value instanceof blobs.Blob) {
        return remember(value, blobs.blobOf(blobs.bytesOf(value), value.type))
      }
      const key = copyKey?.(value)
      if (key) return remember(value, key)
      if (isOpaque(value, tag)) refuse(tag === '[object Object]' ? '#<Object>' : tag)
      const copy = remember(value, {})
      properties(value, copy)
      return copy
    }
    const cloneAny = (value: unknown): unknown => {
      if (typeof value === 'function' || typeof value === 'symbol') refuse(shown(value))
      if (typeof value !== 'object' || value === null) return value
      return copies.has(value) ? copies.get(value) : cloneObject(value)
    }

    const result = cloneAny(root)
    for (const buffer of moving) buffer.transfer()
    for (const take of takes) take()
    return result
  }

  const isTransferable = (value: object): boolean => {
    const streams = kit.loaded('streams')
    return (
      streams !== undefined &&
      [streams.ReadableStream, streams.WritableStream, streams.TransformStream].some(
        (kind) => value instanceof kind,
      )
    )
  }
  const isOpaque = (value: object, tag: string): boolean => {
    if (OPAQUE.some((kind) => value instanceof kind) || tag === '[object Symbol]') return true
    if (tag === '[object Arguments]') return true
    for (let at = getPrototypeOf(value); at !== null; at = getPrototypeOf(at)) {
      if (GENERATORS.includes(at) || at === iteratorPrototype) return true
    }
    return PLATFORM.some((name) => {
      const kind = (globalThis as Record<string, unknown>)[name]
      return typeof kind === 'function' && value instanceof (kind as typeof Object)
    })
  }

  function structuredClone(...args: [value?: unknown, options?: StructuredSerializeOptions]) {
    if (args.length === 0) {
      throw coded('ERR_MISSING_ARGS', 'The "value" argument must be specified')
    }
    const [value, options] = args
    if (options !== undefined && options !== null && typeof options !== 'object') {
      if (typeof options !== 'function') {
        throw coded(
          'ERR_INVALID_ARG_TYPE',
          'The options argument must be either an object or undefined',
        )
      }
    }
    return clone(value, options?.transfer ?? [], () => {})
  }
  Object.defineProperty(structuredClone, 'length', { value: 1, configurable: true })
  kit.expose({ structuredClone })
  return { clone }
}

declare global {
  // In the engine; not yet in the declarations of TypeScript 5.9 that are used here.
  interface ArrayBuffer {
    readonly detached: boolean
    readonly resizable: boolean
    readonly maxByteLength: number
    transfer(): ArrayBuffer
  }
  interface ArrayBufferConstructor {
    new (length: number, options: { maxByteLength: number }): ArrayBuffer
  }
}
