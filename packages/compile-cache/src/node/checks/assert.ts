import { inspect } from 'node-inspect-extracted'
import { assertFunction, invalidType, nodeError } from '../node-error.js'
import { isDeepEqual } from '../util/deep-equal.js'
import { isRegExp } from '../util/types.js'
import { AssertionError } from './assertion-error.js'

type Message = string | Error | undefined
type Thrower = () => unknown

function fails(actual: unknown, expected: unknown, message: Message, operator: string): never {
  if (message instanceof Error) throw message
  throw new AssertionError({ actual, expected, message, operator })
}

function assertBoth(count: number): void {
  if (count < 2) {
    throw nodeError(
      TypeError,
      'ERR_MISSING_ARGS',
      'The "actual" and "expected" arguments must be specified',
    )
  }
}

function truthy(values: unknown[]): void {
  const [value, message] = values as [unknown, Message]
  if (value) return
  if (values.length === 0) {
    const error = new AssertionError({
      actual: value,
      expected: true,
      operator: '==',
      message: 'No value argument passed to `assert.ok()`',
    })
    error.generatedMessage = true
    throw error
  }
  if (message === undefined) {
    const error = new AssertionError({
      actual: value,
      expected: true,
      operator: '==',
      message: 'The expression evaluated to a falsy value:\n\n  assert(…)\n',
    })
    error.generatedMessage = true
    throw error
  }
  fails(value, true, message, '==')
}

export const ok = (...values: unknown[]): void => truthy(values)

export function equal(...args: [actual: unknown, expected: unknown, message?: Message]): void {
  assertBoth(args.length)
  const [actual, expected, message] = args
  // biome-ignore lint/suspicious/noDoubleEquals: this is what it means
  if (!(actual == expected || (Object.is(actual, Number.NaN) && Object.is(expected, Number.NaN))))
    fails(actual, expected, message, '==')
}

export function notEqual(...args: [actual: unknown, expected: unknown, message?: Message]): void {
  assertBoth(args.length)
  const [actual, expected, message] = args
  // biome-ignore lint/suspicious/noDoubleEquals: this is what it means
  if (actual == expected || (Object.is(actual, Number.NaN) && Object.is(expected, Number.NaN)))
    fails(actual, expected, message, '!=')
}

function comparison(operator: string, holds: (actual: unknown, expected: unknown) => boolean) {
  return (...args: [actual: unknown, expected: unknown, message?: Message]): void => {
    assertBoth(args.length)
    const [actual, expected, message] = args
    if (!holds(actual, expected)) fails(actual, expected, message, operator)
  }
}

export const strictEqual = comparison('strictEqual', Object.is)
export const notStrictEqual = comparison('notStrictEqual', (a, b) => !Object.is(a, b))
export const deepEqual = comparison('deepEqual', (a, b) => isDeepEqual(a, b, false))
export const notDeepEqual = comparison('notDeepEqual', (a, b) => !isDeepEqual(a, b, false))
export const deepStrictEqual = comparison('deepStrictEqual', (a, b) => isDeepEqual(a, b, true))
export const notDeepStrictEqual = comparison(
  'notDeepStrictEqual',
  (a, b) => !isDeepEqual(a, b, true),
)

export function fail(...args: unknown[]): never {
  if (args.length > 1) {
    const [actual, expected, message, operator] = args
    return fails(
      actual,
      expected,
      message as Message,
      (operator as string) ?? (args.length === 2 ? '!=' : 'fail'),
    )
  }
  const [message] = args as [Message]
  if (message instanceof Error) throw message
  const error = new AssertionError({ message: message ?? 'Failed', operator: 'fail' })
  error.generatedMessage = message === undefined
  throw error
}

export function ifError(value: unknown): void {
  if (value === null || value === undefined) return
  const text = value instanceof Error ? value.message || value.name : inspect(value)
  throw Object.assign(
    new AssertionError({
      actual: value,
      expected: null,
      operator: 'ifError',
      message: `ifError got unwanted exception: ${text}`,
    }),
    { generatedMessage: true },
  )
}

type Expected = RegExp | object | ((error: unknown) => unknown) | undefined

function caught(run: Thrower): { error: unknown } | undefined {
  assertFunction(run, 'fn')
  try {
    run()
  } catch (error) {
    return { error }
  }
  return undefined
}

async function rejected(promise: unknown): Promise<{ error: unknown } | undefined> {
  let pending = promise
  if (typeof promise === 'function') {
    pending = promise()
    if (typeof (pending as { then?: unknown } | null)?.then !== 'function') {
      throw nodeError(
        TypeError,
        'ERR_INVALID_RETURN_VALUE',
        'Expected instance of Promise to be returned from the "promiseFn" function',
      )
    }
  } else if (typeof (promise as { then?: unknown } | null)?.then !== 'function') {
    throw invalidType('promiseFn', 'of type function or an instance of Promise', promise)
  }
  try {
    await pending
  } catch (error) {
    return { error }
  }
  return undefined
}

function expectFailure(
  found: { error: unknown } | undefined,
  expected: Expected | string,
  message: Message,
  operator: string,
): void {
  let [wanted, text] = [expected as Expected, message]
  if (typeof expected === 'string') {
    if (message !== undefined)
      throw invalidType(
        'error',
        'of type function or an instance of Error, RegExp, or Object',
        expected,
      )
    if (found && (found.error as Error | undefined)?.message === expected) {
      throw nodeError(
        TypeError,
        'ERR_AMBIGUOUS_ARGUMENT',
        `The "error/message" argument is ambiguous. The error message "${expected}" is identical to the message.`,
      )
    }
    ;[wanted, text] = [undefined, expected]
  }
  if (!found) {
    const name = (wanted as { name?: string } | undefined)?.name
    const what = operator === 'rejects' ? 'rejection' : 'exception'
    const details = `${name ? ` (${name})` : ''}${text ? `: ${text}` : '.'}`
    throw new AssertionError({
      actual: undefined,
      expected: wanted,
      operator,
      message: `Missing expected ${what}${details}`,
    })
  }
  if (wanted !== undefined) assertMatches(found.error, wanted, text, operator)
}

function assertMatches(
  error: unknown,
  expected: Expected,
  message: Message,
  operator: string,
): void {
  const mismatch = (text: string) => fails(error, expected, message ?? text, operator)
  if (isRegExp(expected)) {
    const pattern = expected as RegExp
    if (pattern.test(String(error))) return
    mismatch(
      `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(String(error))}\n`,
    )
  } else if (typeof expected === 'function') {
    if (
      expected.prototype !== undefined &&
      error instanceof (expected as unknown as ErrorConstructor)
    )
      return
    if (Object.prototype.isPrototypeOf.call(Error, expected)) {
      const name = (expected as { name?: string }).name
      mismatch(
        `The error is expected to be an instance of "${name}". Received "${(error as Error | undefined)?.constructor?.name ?? inspect(error)}"${error instanceof Error ? `\n\nError message:\n\n${error.message}` : ''}`,
      )
    }
    if ((expected as (error: unknown) => unknown).call({}, error) === true) return
    const name = (expected as { name?: string }).name
    mismatch(
      `The ${name ? `"${name}" ` : ''}validation function is expected to return "true". Received ${inspect(false)}${error instanceof Error ? `\n\nCaught error:\n\n${error}` : ''}`,
    )
  } else if (typeof expected === 'object' && expected !== null) {
    if (typeof error !== 'object' || error === null)
      mismatch(`Expected values to be strictly deep-equal:\n\n${inspect(error)}`)
    const keys = Object.keys(expected)
    if (expected instanceof Error) keys.push('name', 'message')
    if (keys.length === 0) throw invalidValueOfError(expected)
    for (const key of keys) {
      const [actual, wanted] = [
        (error as Record<string, unknown>)[key],
        (expected as Record<string, unknown>)[key],
      ]
      if (typeof actual === 'string' && isRegExp(wanted) && (wanted as RegExp).test(actual))
        continue
      if (key in (error as object) && isDeepEqual(actual, wanted, true)) continue
      fails(
        error,
        expected,
        message,
        operator === 'rejects' || operator === 'throws' ? operator : 'deepStrictEqual',
      )
    }
  } else
    throw invalidType(
      'expected',
      'of type function or an instance of Error, RegExp, or Object',
      expected,
    )
}

function invalidValueOfError(value: unknown): Error {
  return nodeError(
    TypeError,
    'ERR_INVALID_ARG_VALUE',
    `The argument 'error' may not be an empty object. Received ${inspect(value)}`,
  )
}

export function throws(run: Thrower, expected?: Expected | string, message?: Message): void {
  expectFailure(caught(run), expected, message, 'throws')
}

export async function rejects(
  promise: unknown,
  expected?: Expected | string,
  message?: Message,
): Promise<void> {
  expectFailure(await rejected(promise), expected, message, 'rejects')
}

function expectNoFailure(
  found: { error: unknown } | undefined,
  expected: Expected | string,
  message: Message,
  operator: string,
): void {
  if (!found) return
  const text = typeof expected === 'string' ? expected : message
  const wanted = typeof expected === 'string' ? undefined : expected
  if (wanted !== undefined) {
    const isWanted =
      (isRegExp(wanted) && (wanted as RegExp).test(String(found.error))) ||
      (typeof wanted === 'function' &&
        wanted.prototype !== undefined &&
        found.error instanceof (wanted as unknown as ErrorConstructor))
    if (!isWanted) throw found.error
  }
  const what = operator === 'doesNotReject' ? 'rejection' : 'exception'
  const reason = (found.error as Error | undefined)?.message
  throw new AssertionError({
    actual: found.error,
    expected: wanted,
    operator,
    message: `Got unwanted ${what}${text ? `: ${text}` : '.'}\nActual message: "${reason}"`,
  })
}

export function doesNotThrow(run: Thrower, expected?: Expected | string, message?: Message): void {
  expectNoFailure(caught(run), expected, message, 'doesNotThrow')
}

export async function doesNotReject(
  promise: unknown,
  expected?: Expected | string,
  message?: Message,
): Promise<void> {
  expectNoFailure(await rejected(promise), expected, message, 'doesNotReject')
}

function matching(text: unknown, pattern: RegExp, message: Message, wanted: boolean): void {
  if (!isRegExp(pattern)) throw invalidType('regexp', 'an instance of RegExp', pattern)
  if (typeof text === 'string' && pattern.test(text) === wanted) return
  if (message instanceof Error) throw message
  const operator = wanted ? 'match' : 'doesNotMatch'
  const why =
    typeof text !== 'string'
      ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
      : `The input ${wanted ? 'did not match' : 'was expected to not match'} the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`
  const error = new AssertionError({
    actual: text,
    expected: pattern,
    message: message ?? why,
    operator,
  })
  error.generatedMessage = message === undefined
  throw error
}

export const match = (text: unknown, pattern: RegExp, message?: Message): void =>
  matching(text, pattern, message, true)
export const doesNotMatch = (text: unknown, pattern: RegExp, message?: Message): void =>
  matching(text, pattern, message, false)

/** The assertions that are the same in both modes. */
const both = {
  AssertionError,
  deepStrictEqual,
  doesNotMatch,
  doesNotReject,
  doesNotThrow,
  fail,
  ifError,
  match,
  notDeepStrictEqual,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
}

type Assert = ((...values: unknown[]) => void) & typeof both & Record<string, unknown>

export const strict = Object.assign((...values: unknown[]) => truthy(values), both, {
  deepEqual: deepStrictEqual,
  equal: strictEqual,
  notDeepEqual: notDeepStrictEqual,
  notEqual: notStrictEqual,
}) as unknown as Assert
strict.strict = strict

const assert = Object.assign((...values: unknown[]) => truthy(values), both, {
  deepEqual,
  equal,
  notDeepEqual,
  notEqual,
  strict,
}) as unknown as Assert
Object.defineProperty(assert, 'name', { value: 'ok', configurable: true })

export { AssertionError }
export default assert
