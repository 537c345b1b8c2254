import { describeThrown } from '@nexus/diagnostics'
import { ExecutorError } from '../errors.js'
import { INVOCATION_PREFIX } from '../guest/protocol.js'
import { hostCodec } from '../values/host-codec.js'
import { type HostMethod, methodOf } from './host-functions.js'

/** The globals of one call, as they cross to the guest: it puts a function of its own at each path. */
export interface EncodedGlobals {
  /** Text of the value codec: an object, without the functions. */
  values: string
  /** Where the functions are. */
  functions: string[][]
}

/** The globals of one call: what crosses, and the functions that stay here, by their path. */
export interface GivenGlobals {
  encoded: EncodedGlobals
  functions: ReadonlyMap<string, HostMethod>
}

/** Functions may lie in plain objects, so deep. */
const MAX_DEPTH = 8
/** Names that a script cannot be given: the language keeps them. */
const FIXED_NAMES = new Set(['undefined', 'NaN', 'Infinity', 'globalThis', '__proto__'])

/**
 * Takes the functions out of what a caller gives a handler as globals.
 *
 * @throws ExecutorError `INVALID_OPTIONS` when one of them cannot cross
 */
export function givenGlobals(globals: Readonly<Record<string, unknown>>): GivenGlobals {
  const functions = new Map<string, HostMethod>()
  const paths: string[][] = []

  const withoutFunctions = (value: unknown, path: string[]): unknown => {
    if (isMethod(value)) {
      const name = path.join('.')
      if (name.startsWith(INVOCATION_PREFIX)) throw refused(name, 'ctx.invoke has this name')
      if (functions.has(name)) throw refused(name, 'there are two functions of this name')
      functions.set(name, methodOf(name, value))
      paths.push(path)
      return undefined
    }
    if (path.length >= MAX_DEPTH || !isPlainObject(value)) return value
    const copy: Record<string, unknown> = Object.create(null)
    for (const [key, field] of Object.entries(value)) {
      copy[key] = withoutFunctions(field, [...path, key])
    }
    return copy
  }

  for (const name of Object.keys(globals)) {
    if (FIXED_NAMES.has(name)) throw refused(name, 'the language keeps this name for itself')
  }
  try {
    const values = hostCodec.encode(withoutFunctions(globals, []), 'globals')
    return { encoded: { values, functions: paths }, functions }
  } catch (cause) {
    if (cause instanceof ExecutorError) throw cause
    throw refused('', describeThrown(cause).message, cause)
  }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** A function, or a function with the schema of its input. */
function isMethod(value: unknown): boolean {
  if (typeof value === 'function') return true
  return (
    isPlainObject(value) && 'input' in value && 'run' in value && typeof value.run === 'function'
  )
}

function refused(name: string, why: string, cause?: unknown): ExecutorError {
  const what = name === '' ? 'context.globals' : `context.globals.${name}`
  return new ExecutorError('INVALID_OPTIONS', `${what}: ${why}`, { cause })
}
