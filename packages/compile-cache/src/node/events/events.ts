import { assertFunction, assertNumber, invalidType, nodeError, shown } from '../node-error.js'
import { AsyncResource } from '../process/async-hooks.js'
import { nextTick } from '../process/next-tick.js'
import { abortError } from './abort-error.js'
import type { Emitter, Listener, Name } from './emitter.js'
import { eventIterator } from './event-iterator.js'

const captureSymbol = Symbol.for('nodejs.rejection')
const errorMonitorSymbol = Symbol.for('events.errorMonitor')
const kCapture = Symbol('kCapture')
let defaultMax = 10

/** Node's `EventEmitter`, which is called with and without `new`. */
export const EventEmitter = function (this: Emitter, options?: { captureRejections?: boolean }) {
  EventEmitter.init.call(this, options)
} as unknown as {
  new (options?: { captureRejections?: boolean }): Emitter
  prototype: Emitter
  init(this: Emitter, options?: { captureRejections?: boolean }): void
  captureRejections: boolean
  [member: string]: unknown
}

EventEmitter.init = function (options) {
  if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
    this._events = Object.create(null)
    this._eventsCount = 0
  }
  this._maxListeners ||= undefined
  const capture = options?.captureRejections
  if (capture !== undefined && typeof capture !== 'boolean') {
    throw invalidType('options.captureRejections', 'of type boolean', capture)
  }
  this[kCapture] = capture ?? EventEmitter.prototype[kCapture]
}

const proto = EventEmitter.prototype
proto._events = undefined
proto._eventsCount = 0
proto._maxListeners = undefined
Object.defineProperty(proto, kCapture, { value: false, writable: true })

const method = (name: Name, value: (this: Emitter, ...args: never[]) => unknown) => {
  proto[name] = value
}

function listOf(emitter: Emitter, name: Name): Listener[] {
  const found = emitter._events?.[name]
  return found === undefined ? [] : typeof found === 'function' ? [found] : found
}

method('setMaxListeners', function (count: number) {
  assertNumber(count, 'setMaxListeners', 0)
  this._maxListeners = count
  return this
})
method('getMaxListeners', function () {
  return this._maxListeners ?? defaultMax
})

function rejectionOf(emitter: Emitter, name: Name, args: unknown[], error: unknown): void {
  const handler = emitter[captureSymbol]
  if (typeof handler === 'function') {
    handler.call(emitter, error, name, ...args)
    return
  }
  const before = emitter[kCapture]
  try {
    emitter[kCapture] = false
    emitter.emit('error', error)
  } finally {
    emitter[kCapture] = before
  }
}

method('emit', function (name: Name, ...args: unknown[]) {
  const events = this._events
  const monitor = events?.[errorMonitorSymbol]
  if (name === 'error' && monitor !== undefined)
    this.emit(errorMonitorSymbol as unknown as Name, ...args)
  const handler = events?.[name]
  if (handler === undefined) {
    if (name === 'error') throw unhandledError(args[0])
    return false
  }
  const run = (listener: Listener) => {
    const result = listener.apply(this, args)
    if (result === undefined || !this[kCapture]) return
    const { then } = Object(result) as { then?: unknown }
    if (typeof then !== 'function') return
    then.call(result, undefined, (error: unknown) =>
      nextTick(() => rejectionOf(this, name, args, error)),
    )
  }
  if (typeof handler === 'function') run(handler)
  else for (const listener of handler.slice()) run(listener)
  return true
})

function unhandledError(error: unknown): unknown {
  if (error instanceof Error) return error
  const text = typeof error === 'string' ? `'${error}'` : shown(error)
  return nodeError(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${text})`, { context: error })
}

function add(emitter: Emitter, name: Name, listener: Listener, prepend: boolean): Emitter {
  assertFunction(listener, 'listener')
  emitter._events ??= Object.create(null) as Record<Name, Listener>
  const events = emitter._events
  if (events.newListener !== undefined) {
    emitter.emit('newListener', name, listener.listener ?? listener)
  }
  const found = (emitter._events as Record<Name, Listener | Listener[]>)[name]
  if (found === undefined) {
    emitter._events[name] = listener
    emitter._eventsCount++
    return emitter
  }
  const list = typeof found === 'function' ? [found] : found
  if (prepend) list.unshift(listener)
  else list.push(listener)
  emitter._events[name] = list
  const max = emitter.getMaxListeners()
  if (max > 0 && list.length > max && !(list as { warned?: boolean }).warned) {
    ;(list as { warned?: boolean }).warned = true
    console.warn(
      `(node) MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${list.length} ${String(name)} listeners added to [${emitter.constructor.name}]. MaxListeners is ${max}. Use emitter.setMaxListeners() to increase limit`,
    )
  }
  return emitter
}

method('addListener', function (name: Name, listener: Listener) {
  return add(this, name, listener, false)
})
proto.on = proto.addListener as Emitter['on']
method('prependListener', function (name: Name, listener: Listener) {
  return add(this, name, listener, true)
})

function onceWrap(emitter: Emitter, name: Name, listener: Listener): Listener {
  assertFunction(listener, 'listener')
  let fired = false
  const wrapped: Listener = (...args: unknown[]) => {
    if (fired) return undefined
    fired = true
    emitter.removeListener(name, wrapped)
    return listener.apply(emitter, args)
  }
  wrapped.listener = listener
  return wrapped
}

method('once', function (name: Name, listener: Listener) {
  return this.on(name, onceWrap(this, name, listener))
})
method('prependOnceListener', function (name: Name, listener: Listener) {
  return add(this, name, onceWrap(this, name, listener), true)
})

method('removeListener', function (name: Name, listener: Listener) {
  assertFunction(listener, 'listener')
  const found = this._events?.[name]
  if (found === undefined) return this
  const list = typeof found === 'function' ? [found] : found
  const at = list.findLastIndex((other) => other === listener || other.listener === listener)
  if (at < 0) return this
  const removed = list[at]!
  const left = list.toSpliced(at, 1)
  setList(this, name, left)
  if (this._events!.removeListener !== undefined) {
    this.emit('removeListener', name, removed.listener ?? removed)
  }
  return this
})
proto.off = proto.removeListener

function setList(emitter: Emitter, name: Name, list: Listener[]): void {
  if (list.length === 0) {
    emitter._eventsCount--
    delete emitter._events![name]
  } else emitter._events![name] = list.length === 1 ? list[0]! : list
}

method('removeAllListeners', function (...names: Name[]) {
  const [name] = names
  if (this._events === undefined) return this
  if (this._events.removeListener === undefined) {
    if (names.length === 0) {
      this._events = Object.create(null)
      this._eventsCount = 0
    } else if (this._events[name!] !== undefined) setList(this, name!, [])
    return this
  }
  if (names.length === 0) {
    for (const key of Reflect.ownKeys(this._events)) {
      if (key !== 'removeListener') (this.removeAllListeners as (key: Name) => void)(key)
    }
    ;(this.removeAllListeners as (key: Name) => void)('removeListener')
    this._events = Object.create(null)
    this._eventsCount = 0
    return this
  }
  for (const listener of [...listOf(this, name!)].reverse()) this.removeListener(name!, listener)
  return this
})

method('listeners', function (name: Name) {
  return listOf(this, name).map((listener) => listener.listener ?? listener)
})
method('rawListeners', function (name: Name) {
  return [...listOf(this, name)]
})
method('listenerCount', function (name: Name, listener?: Listener) {
  const list = listOf(this, name)
  if (listener === undefined) return list.length
  return list.filter((other) => other === listener || other.listener === listener).length
})
method('eventNames', function () {
  return this._eventsCount > 0 ? Reflect.ownKeys(this._events!) : []
})

interface Cancellable {
  signal?: AbortSignal
}

function assertSignal(signal: unknown, name: string): void {
  if (
    signal !== undefined &&
    (typeof signal !== 'object' || signal === null || !('aborted' in signal))
  ) {
    throw invalidType(name, 'an instance of AbortSignal', signal)
  }
}

/** A promise of what the next event of this name brings. */
export async function once(
  emitter: Emitter & EventTarget,
  name: Name,
  options: Cancellable = {},
): Promise<unknown[]> {
  const { signal } = options
  assertSignal(signal, 'options.signal')
  if (signal?.aborted) throw abortError(signal)
  return new Promise((resolve, reject) => {
    const isTarget =
      typeof emitter.addEventListener === 'function' && typeof emitter.on !== 'function'
    if (!isTarget && typeof emitter.on !== 'function') {
      reject(invalidType('emitter', 'an instance of EventEmitter', emitter))
      return
    }
    const done: Listener = (...args: unknown[]) => {
      end()
      resolve(args)
    }
    const failed: Listener = (error: unknown) => {
      end()
      reject(error)
    }
    const aborted = () => {
      end()
      reject(abortError(signal))
    }
    const end = () => {
      if (isTarget) emitter.removeEventListener(name as string, done)
      else {
        emitter.removeListener(name, done)
        emitter.removeListener('error', failed)
      }
      signal?.removeEventListener('abort', aborted)
    }
    if (isTarget) emitter.addEventListener(name as string, done, { once: true })
    else {
      emitter.once(name, done)
      if (name !== 'error') emitter.once('error', failed)
    }
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** An async iterator over the events of this name. */
export function on(
  emitter: Emitter,
  name: Name,
  options: Cancellable & { close?: Name[] } = {},
): AsyncIterableIterator<unknown[]> {
  assertSignal(options.signal, 'options.signal')
  if (options.signal?.aborted) throw abortError(options.signal)
  return eventIterator(emitter, name, options)
}

export function getEventListeners(emitter: Emitter, name: Name): Listener[] {
  if (typeof emitter?.listeners === 'function') return emitter.listeners(name)
  if (emitter instanceof EventTarget) return []
  throw invalidType('emitter', 'an instance of EventEmitter or EventTarget', emitter)
}

export function getMaxListeners(emitter: Emitter): number {
  if (typeof emitter?.getMaxListeners === 'function') return emitter.getMaxListeners()
  if (emitter instanceof EventTarget) return defaultMax
  throw invalidType('emitter', 'an instance of EventEmitter or EventTarget', emitter)
}

export function listenerCount(emitter: Emitter, name: Name): number {
  return typeof emitter.listenerCount === 'function'
    ? (emitter.listenerCount(name) as number)
    : listOf(emitter, name).length
}

export function setMaxListeners(count = defaultMax, ...targets: Emitter[]): void {
  assertNumber(count, 'setMaxListeners', 0)
  if (targets.length === 0) defaultMax = count
  for (const target of targets) {
    if (typeof target.setMaxListeners === 'function') target.setMaxListeners(count)
    else if (!(target instanceof EventTarget))
      throw invalidType('eventTargets', 'an instance of EventEmitter or EventTarget', target)
  }
}

export function addAbortListener(signal: AbortSignal, listener: () => void): Disposable {
  if (signal === undefined) throw invalidType('signal', 'an instance of AbortSignal', signal)
  assertSignal(signal, 'signal')
  assertFunction(listener, 'listener')
  if (signal.aborted) queueMicrotask(() => listener())
  else signal.addEventListener('abort', listener, { once: true })
  const remove = () => signal.removeEventListener('abort', listener)
  return { [Symbol.dispose ?? Symbol.for('nodejs.dispose')]: remove } as unknown as Disposable
}

export class EventEmitterAsyncResource extends (EventEmitter as unknown as new (
  options?: object,
) => Emitter) {
  readonly asyncResource: AsyncResource

  constructor(options: { name?: string } = {}) {
    super(options)
    this.asyncResource = new AsyncResource(options.name ?? new.target.name)
  }
  override emit(name: Name, ...args: unknown[]): boolean {
    return this.asyncResource.runInAsyncScope(
      proto.emit as never,
      this,
      ...([name, ...args] as never[]),
    ) as boolean
  }
  get asyncId(): number {
    return this.asyncResource.asyncId()
  }
  get triggerAsyncId(): number {
    return this.asyncResource.triggerAsyncId()
  }
  emitDestroy(): void {}
}

Object.defineProperty(EventEmitter, 'name', { value: 'EventEmitter', configurable: true })
Object.assign(EventEmitter, {
  EventEmitter,
  EventEmitterAsyncResource,
  addAbortListener,
  captureRejectionSymbol: captureSymbol,
  errorMonitor: errorMonitorSymbol,
  getEventListeners,
  getMaxListeners,
  listenerCount,
  on,
  once,
  setMaxListeners,
  usingDomains: false,
})
Object.defineProperty(EventEmitter, 'defaultMaxListeners', {
  enumerable: true,
  get: () => defaultMax,
  set: (count: number) => {
    assertNumber(count, 'defaultMaxListeners', 0)
    defaultMax = count
  },
})
Object.defineProperty(EventEmitter, 'captureRejections', {
  enumerable: true,
  get: () => proto[kCapture],
  set: (value: unknown) => {
    if (typeof value !== 'boolean')
      throw invalidType('EventEmitter.captureRejections', 'of type boolean', value)
    proto[kCapture] = value
  },
})

export const captureRejectionSymbol = captureSymbol
export const errorMonitor = errorMonitorSymbol
export const defaultMaxListeners = 10
export const usingDomains = false
export default EventEmitter
