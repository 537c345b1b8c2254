/**
 * The values of every `AsyncLocalStorage` at one moment. A map is never changed: code that keeps one keeps its values.
 */
export type AsyncContext = ReadonlyMap<object, unknown>

const EMPTY: AsyncContext = new Map()

let current = EMPTY

/** The context that the code which runs now has. */
export function currentContext(): AsyncContext {
  return current
}

/** From here on the code that runs has this context. */
export function enterContext(context: AsyncContext): void {
  current = context
}

/** Calls `run` in a context, and goes back. */
export function runInContext<T>(context: AsyncContext, run: () => T): T {
  const before = current
  current = context
  try {
    return run()
  } finally {
    current = before
  }
}

/** The function, which runs in the context of this moment whenever it is called. */
export function bindContext<F extends (this: unknown, ...args: never[]) => unknown>(
  callback: F,
): F {
  if (current === EMPTY && !isTracked) return callback
  const context = current
  return function (this: unknown, ...args: never[]) {
    return runInContext(context, () => callback.apply(this, args))
  } as F
}

let isTracked = false

/**
 * From now on promises, microtasks and timers keep the context in which they were asked for. Native `await` does not call
 * `then`, so the compiler makes generators of the async functions of a handler that imports `node:async_hooks`.
 */
export function trackPromises(): void {
  if (isTracked) return
  isTracked = true
  const { then } = Promise.prototype
  const bound = <F>(callback: F): F =>
    typeof callback === 'function' ? bindContext(callback as never) : callback
  define(
    Promise.prototype,
    'then',
    function (this: Promise<unknown>, done?: never, failed?: never) {
      return then.call(this, bound(done), bound(failed))
    },
  )
  const { resolve } = Promise
  define(Promise, 'resolve', function (this: PromiseConstructor, value?: unknown) {
    return resolve.call(this, isForeignThenable(value) ? thenableInContext(value) : value)
  })
  for (const name of ['queueMicrotask', 'setTimeout', 'setInterval'] as const) {
    const schedule = globalThis[name] as (callback: unknown, ...args: unknown[]) => unknown
    define(globalThis, name, (callback: unknown, ...args: unknown[]) =>
      schedule(bound(callback), ...args),
    )
  }
}

interface Thenable {
  then(resolve: (value: unknown) => void, reject: (reason: unknown) => void): unknown
}

function isForeignThenable(value: unknown): value is Thenable {
  return (
    typeof value === 'object' &&
    value !== null &&
    !(value instanceof Promise) &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/** The engine calls `then` of another's promise in a job of its own. */
function thenableInContext(thenable: Thenable): Thenable {
  return {
    // biome-ignore lint/suspicious/noThenProperty: the engine is to take it for a promise
    then: bindContext((resolve, reject) => thenable.then(resolve, reject)) as Thenable['then'],
  }
}

function define(object: object, name: string, value: (...args: never[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(object, name, { value, writable: true, configurable: true })
}
