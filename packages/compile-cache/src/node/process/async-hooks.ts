import { assertFunction, assertString, nodeError } from '../node-error.js'
import {
  type AsyncContext,
  bindContext,
  currentContext,
  enterContext,
  runInContext,
  trackPromises,
} from './async-context.js'

type Anything = (this: unknown, ...args: never[]) => unknown

/** Values that calls keep over `await`, callbacks and timers. */
export class AsyncLocalStorage<T = unknown> {
  readonly name: string
  readonly #defaultValue: T | undefined

  constructor(options: { defaultValue?: T; name?: string } = {}) {
    trackPromises()
    this.#defaultValue = options.defaultValue
    this.name = options.name === undefined ? '' : `${options.name}`
  }

  static bind<F extends Anything>(callback: F): F {
    assertFunction(callback, 'fn')
    trackPromises()
    return bindContext(callback)
  }

  static snapshot(): <R, A extends unknown[]>(callback: (...args: A) => R, ...args: A) => R {
    const context = currentContext()
    return (callback, ...args) => runInContext(context, () => callback(...args))
  }

  getStore(): T | undefined {
    const context = currentContext()
    return context.has(this) ? (context.get(this) as T) : this.#defaultValue
  }

  run<R, A extends unknown[]>(store: T, callback: (...args: A) => R, ...args: A): R {
    return runInContext(this.#with(store), () => callback(...args))
  }

  exit<R, A extends unknown[]>(callback: (...args: A) => R, ...args: A): R {
    return runInContext(this.#without(), () => callback(...args))
  }

  enterWith(store: T): void {
    enterContext(this.#with(store))
  }

  disable(): void {
    enterContext(this.#without())
  }

  #with(store: T): AsyncContext {
    return new Map(currentContext()).set(this, store)
  }

  #without(): AsyncContext {
    const context = new Map(currentContext())
    context.delete(this)
    return context
  }
}

let lastId = 1

/** Work whose callbacks run in the context in which it was made. */
export class AsyncResource {
  readonly #context = currentContext()
  readonly #id = ++lastId

  constructor(type: string) {
    assertString(type, 'type')
    if (type === '') throw nodeError(TypeError, 'ERR_ASYNC_TYPE', 'Invalid name for async "type": ')
  }

  static bind<F extends Anything>(callback: F, type?: string, thisArg?: unknown): F {
    assertFunction(callback, 'fn')
    return new AsyncResource(type || callback.name || 'bound-anonymous-fn').bind(callback, thisArg)
  }

  bind<F extends Anything>(callback: F, thisArg?: unknown): F {
    assertFunction(callback, 'fn')
    const resource = this
    return function (this: unknown, ...args: never[]) {
      return resource.runInAsyncScope(callback, thisArg ?? this, ...args)
    } as F
  }

  runInAsyncScope(callback: Anything, thisArg?: unknown, ...args: never[]): unknown {
    return runInContext(this.#context, () => callback.apply(thisArg, args))
  }

  emitDestroy(): this {
    return this
  }

  asyncId(): number {
    return this.#id
  }

  triggerAsyncId(): number {
    return 1
  }
}

/** There are no async ids here: every callback says 0, as Node does where it does not know. */
export const executionAsyncId = (): number => 0
export const triggerAsyncId = (): number => 0
export const executionAsyncResource = (): object => ({})
export const asyncWrapProviders: Readonly<Record<string, number>> = Object.freeze({ NONE: 0 })

/** @throws always: the engine tells of no promise */
export function createHook(): never {
  throw nodeError(
    Error,
    'ERR_METHOD_NOT_IMPLEMENTED',
    'async_hooks.createHook is not there: the sandbox does not tell of each promise. Use AsyncLocalStorage.',
  )
}

export default {
  AsyncLocalStorage,
  AsyncResource,
  asyncWrapProviders,
  createHook,
  executionAsyncId,
  executionAsyncResource,
  triggerAsyncId,
}
