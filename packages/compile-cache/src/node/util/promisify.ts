import { assertFunction, invalidType, nodeError } from '../node-error.js'
import { nextTick } from '../process/next-tick.js'

type Function_ = (this: unknown, ...args: unknown[]) => unknown

const custom = Symbol.for('nodejs.util.promisify.custom')

/** A function of a promise, made of one that takes a callback. */
export function promisify(original: Function_ & { [custom]?: unknown }): Function_ {
  assertFunction(original, 'original')
  const own = original[custom]
  if (own !== undefined) {
    assertFunction(own, 'util.promisify.custom')
    return Object.defineProperty(own as Function_, custom, { value: own, configurable: true })
  }
  const promised: Function_ = function (...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error: unknown, value: unknown) => {
        if (error) reject(error)
        else resolve(value)
      })
    })
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original))
  Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original))
  return Object.defineProperty(promised, custom, { value: promised, configurable: true })
}
promisify.custom = custom

/** A function that takes a callback, made of one of a promise. */
export function callbackify(original: Function_): Function_ {
  assertFunction(original, 'original')
  const called: Function_ = function (...args) {
    const callback = args.pop() as (...results: unknown[]) => void
    assertFunction(callback, 'last argument')
    ;(original.apply(this, args) as Promise<unknown>).then(
      (value) => nextTick(() => callback.call(this, null, value)),
      (error: unknown) => nextTick(() => callback.call(this, error || falsyRejection(error))),
    )
  }
  Object.defineProperty(called, 'length', { value: original.length + 1, configurable: true })
  Object.defineProperty(called, 'name', {
    value: `${original.name}Callbackified`,
    configurable: true,
  })
  return called
}

function falsyRejection(reason: unknown): Error {
  return nodeError(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value', {
    reason,
  })
}

/** Says once that a function should no longer be used. */
export function deprecate<F extends Function_>(original: F, message: string, code?: string): F {
  if (code !== undefined && typeof code !== 'string')
    throw invalidType('code', 'of type string', code)
  let wasSaid = false
  const deprecated = function (this: unknown, ...args: unknown[]) {
    if (!wasSaid) {
      wasSaid = true
      console.warn(`(node) ${code === undefined ? '' : `[${code}] `}DeprecationWarning: ${message}`)
    }
    return new.target ? Reflect.construct(original, args, new.target) : original.apply(this, args)
  }
  Object.setPrototypeOf(deprecated, original)
  const { prototype } = original as { prototype?: unknown }
  if (prototype) deprecated.prototype = prototype
  Object.defineProperty(deprecated, 'length', { value: original.length, configurable: true })
  Object.defineProperty(deprecated, 'name', { value: original.name, configurable: true })
  return deprecated as unknown as F
}
