import type { Uncurry } from './uncurry.js'

/** What the prelude needs of stacks after the guest's `stack` was completed. */
export interface ErrorStacks {
  /** The handler's frames of an error without its first line, or what a guest put there; undefined where there is nothing. */
  framesOf(error: object): unknown
  /** A stack as `error.stack` gives it: the error's name and message, then these frames. */
  stackOf(error: object, frames: string): string
}

/**
 * Makes `error.stack` what it is in Node. The engine's (QuickJS-NG 0.11) has no line `Name: message`, names frames of the
 * prelude, and becomes an enumerable field when it is assigned.
 *
 * The guest gets the source of this function: it may use nothing but its arguments and globals.
 */
export function installErrorStacks(uncurry: Uncurry): ErrorStacks {
  const { defineProperty: define, getOwnPropertyDescriptor, isExtensible } = Object
  const Refusal = TypeError
  const { prototype } = Error
  const native = getOwnPropertyDescriptor(prototype, 'stack') as Required<PropertyDescriptor>
  const capture = Error.captureStackTrace
  const engineFrames = uncurry(native.get as (this: object) => unknown)
  const replace = uncurry(String.prototype.replace as (pattern: RegExp, by: string) => string)
  const toText = String
  /** Code without a file name is not the handler's, nor is what it called of the engine. */
  const INTERNAL_FRAMES = /^(?: *at .*\(native\)\n)* *at .*<null>:\d+:\d+\)?\n?/gm
  const END = /\n$/

  const textOf = (error: object, key: 'name' | 'message', otherwise: string): string => {
    try {
      const value: unknown = (error as Error)[key]
      return value === undefined ? otherwise : toText(value)
    } catch {
      return otherwise
    }
  }
  const ownOf = (frames: string): string => replace(replace(frames, INTERNAL_FRAMES, ''), END, '')
  const stackOf = (error: object, frames: string): string => {
    const name = textOf(error, 'name', 'Error')
    const message = textOf(error, 'message', '')
    const title = name === '' || message === '' ? name + message : `${name}: ${message}`
    const own = ownOf(frames)
    return own === '' ? title : `${title}\n${own}`
  }
  const assign = (error: object, value: unknown): void => {
    define(error, 'stack', {
      __proto__: null,
      value,
      writable: true,
      configurable: true,
    } as PropertyDescriptor)
  }

  let onlyFrames = false
  // A method's accessors cannot be called with `new` and have the names that Node's have.
  const { get, set } = getOwnPropertyDescriptor(
    {
      get stack(): unknown {
        const frames = engineFrames(this)
        return typeof frames !== 'string' || onlyFrames ? frames : stackOf(this, frames)
      },
      set stack(value: unknown) {
        assign(this, value)
      },
    },
    'stack',
  ) as PropertyDescriptor
  define(prototype, 'stack', { __proto__: null, get, set } as PropertyDescriptor)

  Error.captureStackTrace = function captureStackTrace(target, below) {
    if (!isExtensible(target))
      throw new Refusal('Cannot define property stack, object is not extensible')
    capture(target, below ?? captureStackTrace)
    const frames = getOwnPropertyDescriptor(target, 'stack')?.value
    if (typeof frames === 'string') assign(target, stackOf(target, frames))
  }

  return {
    framesOf: (error) => {
      onlyFrames = true
      let frames: unknown
      try {
        frames = (error as Error).stack
      } finally {
        onlyFrames = false
      }
      try {
        return typeof frames === 'string' ? ownOf(frames) : frames
      } catch {
        // There is no memory left for it: the host finds the handler's frames as well.
        return frames
      }
    },
    stackOf,
  }
}
