import { parseArgs as parseArguments } from '@pkgjs/parseargs'
import {
  format,
  formatWithOptions,
  inspect,
  stripVTControlCharacters,
} from 'node-inspect-extracted'
import { errno } from 'unenv/node/internal/os/constants'
import { assertNumber, assertString, invalidType, nodeError, outOfRange } from '../node-error.js'
import { isDeepEqual } from './deep-equal.js'
import { callbackify, deprecate, promisify } from './promisify.js'
import { styleText } from './style-text.js'
import types from './types.js'

const { TextDecoder, TextEncoder } = globalThis

const isDeepStrictEqual = (a: unknown, b: unknown) => isDeepEqual(a, b, true)

type Constructor = { prototype: object }

function inherits(child: Constructor, parent: Constructor): void {
  if (typeof (child as unknown) !== 'function') throw invalidType('ctor', 'of type function', child)
  if (typeof (parent as unknown) !== 'function')
    throw invalidType('superCtor', 'of type function', parent)
  if (parent.prototype === undefined) {
    throw invalidType('superCtor.prototype', 'of type object', parent.prototype)
  }
  Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true })
  Object.setPrototypeOf(child.prototype, parent.prototype)
}

/** `NODE_DEBUG` is not granted to any handler: the logger stays silent. */
function debuglog(): ((...args: unknown[]) => void) & { enabled: boolean } {
  return Object.assign(() => undefined, { enabled: false })
}

function toUSVString(text: unknown): string {
  return (`${text}` as string & { toWellFormed(): string }).toWellFormed()
}

function getSystemErrorName(code: number): string {
  assertNumber(code, 'err')
  if (code >= 0 || !Number.isSafeInteger(code)) throw outOfRange('err', 'a negative integer', code)
  return Object.keys(errno).find((name) => errno[name] === -code) ?? `Unknown system error ${code}`
}

const getSystemErrorMap = () =>
  new Map(Object.entries(errno).map(([name, code]) => [-code, [name, name]]))

function parseEnv(content: string): Record<string, string> {
  assertString(content, 'content')
  const LINE = /^\s*(?:export\s+)?([\w.-]+)\s*=[^\S\n]*("(?:\\"|[^"])*"|'[^']*'|`[^`]*`|[^#\n]*)?/gm
  const found: Record<string, string> = {}
  for (const [, name, raw = ''] of content.replace(/\r\n?/g, '\n').matchAll(LINE)) {
    const quoted = /^(["'`])([\s\S]*)\1$/.exec(raw.trim())
    const value = quoted ? quoted[2]! : raw.trim()
    found[name!] = quoted?.[1] === '"' ? value.replace(/\\n/g, '\n') : value
  }
  return found
}

async function aborted(signal: AbortSignal, resource: unknown): Promise<void> {
  if (signal === undefined) throw invalidType('signal', 'an instance of AbortSignal', signal)
  if (typeof resource !== 'object' || resource === null)
    throw invalidType('resource', 'of type object', resource)
  if (signal.aborted) return
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
}

/** Node's errors are TypeErrors, which the library does not make of those with a code. */
const parseArgs: typeof parseArguments = (config) => {
  try {
    return parseArguments(config)
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    throw code?.startsWith('ERR_PARSE_ARGS') ? nodeError(TypeError, code, message) : error
  }
}

const log = (...args: unknown[]) => console.log(format(...(args as [unknown])))
const debug = debuglog
const { isArray } = Array
const isBoolean = (value: unknown) => typeof value === 'boolean'
const isBuffer = (value: unknown) =>
  value instanceof Uint8Array && value.constructor.name === 'Buffer'
const isNull = (value: unknown) => value === null
const isNullOrUndefined = (value: unknown) => value === null || value === undefined
const isNumber = (value: unknown) => typeof value === 'number'
const isString = (value: unknown) => typeof value === 'string'
const isSymbol = (value: unknown) => typeof value === 'symbol'
const isUndefined = (value: unknown) => value === undefined
const isFunction = (value: unknown) => typeof value === 'function'
const isObject = (value: unknown) => typeof value === 'object' && value !== null
const isPrimitive = (value: unknown) =>
  value === null || (typeof value !== 'object' && typeof value !== 'function')
const { isDate, isRegExp } = types
const isError = (value: unknown) => types.isNativeError(value) || value instanceof Error
const _extend = (target: object, source: object) =>
  source === null || typeof source !== 'object' ? target : Object.assign(target, source)

export {
  _extend,
  aborted,
  callbackify,
  debug,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  getSystemErrorMap,
  getSystemErrorName,
  inherits,
  inspect,
  isArray,
  isBoolean,
  isBuffer,
  isDate,
  isDeepStrictEqual,
  isError,
  isFunction,
  isNull,
  isNullOrUndefined,
  isNumber,
  isObject,
  isPrimitive,
  isRegExp,
  isString,
  isSymbol,
  isUndefined,
  log,
  parseArgs,
  parseEnv,
  promisify,
  stripVTControlCharacters,
  styleText,
  TextDecoder,
  TextEncoder,
  toUSVString,
  types,
}
export default {
  _extend,
  aborted,
  callbackify,
  debug,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  getSystemErrorMap,
  getSystemErrorName,
  inherits,
  inspect,
  isArray,
  isBoolean,
  isBuffer,
  isDate,
  isDeepStrictEqual,
  isError,
  isFunction,
  isNull,
  isNullOrUndefined,
  isNumber,
  isObject,
  isPrimitive,
  isRegExp,
  isString,
  isSymbol,
  isUndefined,
  log,
  parseArgs,
  parseEnv,
  promisify,
  stripVTControlCharacters,
  styleText,
  TextDecoder,
  TextEncoder,
  toUSVString,
  types,
}
