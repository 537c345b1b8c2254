import type { CodecParts, ValueCodec } from '../values/value-codec.js'
import type { ConsoleParts } from './console.js'
import type { DescribeValue, Uncurry } from './describe-value.js'
import type { GuestErrorReport, HostAnswer, HostOperation, LogLevel } from './protocol.js'
import type { FetchRequest, FetchResponse, GuestKit } from './web/kit.js'

/** The host's one function in the guest; answers a number of `HostAnswer`. */
export type GuestHost = (operation: number, ...args: (string | number | undefined)[]) => number

/** What the prelude is given in addition to the host. */
export interface PreludeParts {
  createCodec(parts: CodecParts): ValueCodec
  createDescriber(uncurry: Uncurry): DescribeValue
  createConsole(parts: ConsoleParts): Console
  /** Installs the web APIs, where the handler gets them; gives what makes `ctx.signal`. */
  installWeb: ((kit: GuestKit) => (deadline: number) => AbortSignal) | undefined
  operations: typeof HostOperation
  answers: typeof HostAnswer
  maxNesting: number
}

/** The functions that the host calls. */
export interface Prelude {
  /** Takes the handler out of its module; answers what was there: `function`, or another kind. */
  load(namespace: { default: unknown }): string
  /**
   * Calls the handler. Gives the JSON of the result, `''` for undefined, or `!` and the JSON of an error; or a promise
   * of one of these.
   */
  run(
    eventJson: string,
    contextJson: string | undefined,
    deadline: number,
  ): string | Promise<string>
  /** Hands over the answer to a question: text of the value codec. */
  settle(id: number, answer: string, failed: number | undefined): void
  /** A timer is due. Gives the description of what its callback threw. */
  fire(id: number): string | undefined
  /** `!` and the JSON of an error. */
  describe(error: unknown): string
}

/**
 * The guest's side of a call, run once before any handler is loaded.
 *
 * It takes everything it uses from the pristine globals first: a handler may replace `JSON`,
 * `Promise.prototype.then` or `Object.prototype` and still only fool itself. Nothing here is a
 * guard: what a guest may do is decided on the host's side of each host call.
 *
 * The guest gets the source of this function: it may use nothing but its arguments and globals.
 */
export function installPrelude(host: GuestHost, parts: PreludeParts): Prelude {
  const { createCodec, createDescriber, createConsole, installWeb } = parts
  const { operations, answers, maxNesting } = parts
  const { parse, stringify } = JSON
  const { defineProperty: define, getPrototypeOf, getOwnPropertyDescriptor } = Object
  const { now } = Date
  const [GuestPromise, GuestError, GuestMap, toText] = [Promise, Error, Map, String]
  const [GuestTypeError, GuestRangeError] = [TypeError, RangeError]
  const uncurry: Uncurry = <This, Args extends unknown[], Result>(
    method: (this: This, ...args: Args) => Result,
  ): ((self: This, ...args: Args) => Result) => Function.prototype.call.bind(method) as never
  const clip = uncurry(String.prototype.slice)
  const get = uncurry(Map.prototype.get) as <V>(map: Map<number, V>, id: number) => V | undefined
  const set = uncurry(Map.prototype.set)
  const remove = uncurry(Map.prototype.delete)
  const MAX_TEXT = 16_384
  const MAX_CAUSES = 3
  const MAX_REASONS = 10
  const { isArray } = Array
  type Bytes = Uint8Array & { toBase64(): string }
  const describeValue = createDescriber(uncurry)
  /** Fields are data for programs: all of them, and as what JSON can hold. */
  const AS_DATA = { maxDepth: maxNesting, maxItems: 2 ** 32, asData: true }
  const ON_SMALL_STACK = { ...AS_DATA, maxDepth: 16, asData: false }
  const { encode, decode, deepPlace, tooDeep, isPlain } = createCodec({
    toBase64: uncurry((Uint8Array.prototype as Bytes).toBase64) as (bytes: Uint8Array) => string,
    fromBase64: (Uint8Array as unknown as CodecParts).fromBase64,
    maxNesting,
  })

  const text = (value: unknown): string => {
    try {
      return clip(toText(value), 0, MAX_TEXT)
    } catch {
      return 'a value that cannot be turned into text'
    }
  }
  const read = (object: object, key: string): string | undefined => {
    try {
      const value = (object as Record<string, unknown>)[key]
      return value === undefined ? undefined : text(value)
    } catch {
      return undefined
    }
  }
  const shown = (value: object): string => {
    try {
      return clip(stringify(value) ?? text(value), 0, MAX_TEXT)
    } catch {
      return text(value)
    }
  }
  /** Without a message, what else the thrown value says: the errors of an AggregateError, its fields. */
  const fullMessage = (error: object): string => {
    const message = read(error, 'message')
    try {
      const { errors } = error as { errors?: unknown }
      if (isArray(errors) && error instanceof GuestError) {
        let reasons = ''
        for (let i = 0; i < errors.length && i < MAX_REASONS; i++) {
          reasons += `${i === 0 ? '' : '; '}${messageOf(errors[i])}`
        }
        return `${message || 'All promises were rejected'} (${reasons})`
      }
    } catch {}
    return message ?? `${typeof error === 'function' ? text(error) : shown(error)} was thrown`
  }
  const messageOf = (error: unknown): string =>
    (typeof error === 'object' && error !== null ? read(error, 'message') : undefined) ??
    text(error)
  const report = (error: unknown, depth: number): GuestErrorReport => {
    if (error === null || (typeof error !== 'object' && typeof error !== 'function')) {
      return { __proto__: null, name: 'Error', message: text(error) } as GuestErrorReport
    }
    let cause: unknown
    try {
      cause = (error as { cause?: unknown }).cause
    } catch {}
    return {
      __proto__: null,
      name: read(error, 'name') ?? 'Error',
      message: fullMessage(error),
      stack: read(error, 'stack'),
      code: read(error, 'code'),
      cause: cause === undefined || depth === MAX_CAUSES ? undefined : report(cause, depth + 1),
    } as GuestErrorReport
  }
  const describe = (error: unknown): string => `!${stringify(report(error, 0))}`

  /** A stack that is too small for the nesting of a value is that value's fault, and is told as such. */
  const blamed = (error: unknown, value: unknown, name: string): unknown => {
    const place = error instanceof GuestRangeError ? deepPlace(value, name) : undefined
    if (place === undefined) return error
    host(operations.TooDeep)
    return tooDeep(place)
  }
  const succeed = (value: unknown): string => {
    let json: string | undefined
    try {
      json = stringify(value)
    } catch (cause) {
      // A TypeError is how JSON refuses a value; all else came from what it ran, or from a limit.
      if (!(cause instanceof GuestTypeError)) throw blamed(cause, value, 'result')
      throw new GuestTypeError(
        `The result of the handler cannot be turned into JSON: ${messageOf(cause)}`,
        { cause },
      )
    }
    return json === undefined ? '' : json
  }
  const finish = async (result: unknown): Promise<string> => {
    try {
      return succeed(await result)
    } catch (error) {
      return describe(error)
    }
  }

  let handler: ((event: unknown, context: unknown) => unknown) | undefined
  const coded = (error: Error, code: string): Error => {
    ;(error as Error & { code: string }).code = code
    return error
  }
  const refuse = (answer: number, what: string, token: string): void => {
    if (answer === answers.Ok) return
    // While the module loads, the handler is not known.
    if (handler === undefined) {
      throw new GuestError(
        `${what} at the top level of the module: timers and host calls are for the handler`,
      )
    }
    if (answer === answers.Denied) {
      const message = `${what} is not allowed; grant it with the capability ${token}`
      const error = coded(new GuestError(message), 'PERMISSION_DENIED')
      error.name = 'PermissionError'
      throw error
    }
    if (answer === answers.Limit) {
      throw coded(new GuestRangeError(`${what} is over a limit of this call`), 'RESOURCE_LIMIT')
    }
    if (answer === answers.TooDeep) throw tooDeep(what)
    if (answer === answers.TooLarge) {
      const message = `${what}: there are more values than a call may hand over`
      throw coded(new GuestRangeError(message), 'RESOURCE_LIMIT')
    }
    throw new GuestTypeError(`${what}: wrong arguments`)
  }

  interface Waiting {
    resolve(value: unknown): void
    reject(reason: unknown): void
    site: Error
  }
  interface Timer {
    callback: (...values: unknown[]) => unknown
    values: unknown[]
    repeats: boolean
  }
  let lastId = 0
  const calls = new GuestMap<number, Waiting>()
  const timers = new GuestMap<number, Timer>()

  const toJson = (value: unknown, name: string): string | undefined => {
    try {
      return stringify(value)
    } catch (error) {
      throw blamed(error, value, name)
    }
  }
  const isPlainData = (value: unknown): boolean => {
    try {
      return isPlain(value)
    } catch {
      return false
    }
  }
  const log = (level: LogLevel) => (message: unknown, fields: unknown) => {
    const line = text(message)
    let answer: number
    if (fields === undefined) answer = host(operations.Log, level, line)
    else if (isPlainData(fields)) answer = host(operations.Log, level, line, stringify(fields))
    else {
      let described: string
      try {
        described = stringify(describeValue(fields, AS_DATA))
      } catch (cause) {
        const error = blamed(cause, fields, 'fields')
        if (error !== cause) throw error
        // The stack is too small for its levels.
        described = stringify(describeValue(fields, ON_SMALL_STACK))
      }
      answer = host(operations.LogDescribed, level, line, described)
    }
    if (answer === answers.TooDeep) throw tooDeep(deepPlace(fields, 'fields') ?? 'fields')
  }
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }

  const emit = async (type: unknown, data: unknown, attributes: unknown): Promise<void> => {
    if (typeof type !== 'string') {
      throw new GuestTypeError(
        `ctx.emit: expected the type of the event as a string, got ${typeof type}`,
      )
    }
    const dataJson = toJson(data, 'data') ?? 'null'
    const attributesJson = toJson(attributes, 'attributes') ?? 'null'
    const answer = host(operations.Emit, type, dataJson, attributesJson)
    if (answer === answers.TooDeep) {
      throw tooDeep(deepPlace(data, 'data') ?? deepPlace(attributes, 'attributes') ?? 'data')
    }
    refuse(answer, `Emitting ${type}`, `events:emit:${type}`)
  }
  const ask = (
    operation: number,
    what: string,
    token: string,
    details: () => string[],
  ): Promise<unknown> =>
    new GuestPromise((resolve, reject) => {
      const id = ++lastId
      // Made here, where the handler is on the stack: when the answer comes it no longer is.
      set(calls, id, { __proto__: null, resolve, reject, site: new GuestError() } as Waiting)
      let answer: number = answers.Malformed
      try {
        answer = host(operation, id, ...details())
      } finally {
        if (answer !== answers.Ok) remove(calls, id)
      }
      refuse(answer, what, token)
    })
  const encoded = (value: unknown, name: string): string => {
    try {
      return encode(value, name)
    } catch (error) {
      if (error instanceof GuestRangeError && read(error, 'code') === 'RESOURCE_LIMIT') {
        host(operations.TooDeep)
      }
      throw error
    }
  }
  const call = (named: unknown, method: unknown, ...values: unknown[]): Promise<unknown> => {
    const name = text(named)
    const methodName = text(method)
    const what = `${name}.${methodName}`
    return ask(operations.Call, `Calling ${what}`, `ext:${name}`, () => [
      name,
      methodName,
      encoded(values, what),
    ])
  }

  // The engine's own has the moment at which the image was made as its origin, and keeps it.
  const monotonic = performance.now as () => number
  globalThis.performance = {
    now: () => monotonic(),
    get timeOrigin() {
      return now() - monotonic()
    },
  } as Performance

  const guestConsole = createConsole({
    uncurry,
    describe: describeValue,
    write: (level, line) => void host(operations.Log, level, clip(line, 0, MAX_TEXT)),
    print: (level, values, indent, kind) =>
      void host(operations.Print, level, stringify(values), indent, kind),
    monotonic: () => monotonic(),
  })
  globalThis.console = guestConsole

  const startTimer = (
    callback: unknown,
    delayMs: unknown,
    values: unknown[],
    repeats: boolean,
  ): number => {
    if (typeof callback !== 'function') {
      throw new GuestTypeError(`A timer takes a function, got ${typeof callback}`)
    }
    const id = ++lastId
    const delay = +(delayMs as number)
    // NaN is 0 as well.
    const isLater = delay > 0
    refuse(host(operations.SetTimer, id, isLater ? delay : 0, repeats ? 1 : 0), 'Another timer', '')
    set(timers, id, { __proto__: null, callback, values, repeats } as unknown as Timer)
    return id
  }
  const stopTimer = (named: unknown): void => {
    const id = typeof named === 'string' ? +named : (named as number)
    if (remove(timers, id)) host(operations.ClearTimer, id)
  }
  const setTimeout = (callback: unknown, delayMs?: unknown, ...values: unknown[]) =>
    startTimer(callback, delayMs, values, false)
  const setInterval = (callback: unknown, delayMs?: unknown, ...values: unknown[]) =>
    startTimer(callback, delayMs, values, true)
  for (const [name, timer] of [
    ['setTimeout', setTimeout],
    ['setInterval', setInterval],
    ['clearTimeout', stopTimer],
    ['clearInterval', stopTimer],
  ] as const) {
    ;(globalThis as Record<string, unknown>)[name] = timer
  }

  const fetch = (request: FetchRequest, signal: AbortSignal): Promise<FetchResponse> => {
    const answer = ask(operations.Fetch, 'fetch', '', () => [encoded(request, 'request')])
    const id = lastId
    signal.addEventListener('abort', () => {
      const waiting = get(calls, id)
      if (waiting === undefined || !remove(calls, id)) return
      host(operations.Abort, id)
      waiting.reject(signal.reason)
    })
    return answer as Promise<FetchResponse>
  }
  const signalUntil = installWeb?.({
    fetch,
    setTimeout,
    report: (error) => guestConsole.error('Uncaught', error),
  })

  interface Facts {
    functionName?: string
    attempt?: number
    env?: Record<string, string>
    secrets?: Record<string, string>
  }
  const generators = [function* () {}, async function* () {}].map((made) => getPrototypeOf(made))
  const kindOf = (value: unknown): string => {
    if (typeof value !== 'function') return typeof value
    const prototype: unknown = getPrototypeOf(value)
    if (prototype === generators[0] || prototype === generators[1]) return 'a generator function'
    // Of a class it cannot be replaced.
    return getOwnPropertyDescriptor(value, 'prototype')?.writable === false ? 'a class' : 'function'
  }
  const noFacts = { __proto__: null } as Facts

  return {
    load(namespace) {
      let found = namespace.default
      // A CommonJS module that was compiled from an ES module: its exports are the default export.
      if (typeof found === 'object' && found !== null) {
        found = (found as { default?: unknown }).default ?? found
      }
      handler = found as typeof handler
      return kindOf(found)
    },
    run(eventJson, contextJson, deadline) {
      try {
        const facts: Facts = contextJson === undefined ? noFacts : parse(contextJson)
        const context = {
          functionName: facts.functionName,
          attempt: facts.attempt ?? 1,
          env: facts.env ?? {},
          secrets: facts.secrets ?? {},
          deadline,
          log: logger,
          emit,
          call,
        }
        if (signalUntil !== undefined) {
          let signal: AbortSignal | undefined
          define(context, 'signal', {
            __proto__: null,
            get: () => {
              signal ??= signalUntil(deadline)
              return signal
            },
            enumerable: true,
          } as PropertyDescriptor)
        }
        const result = handler!(parse(eventJson), context)
        if (
          result !== null &&
          (typeof result === 'object' || typeof result === 'function') &&
          typeof (result as { then?: unknown }).then === 'function'
        ) {
          return finish(result)
        }
        return succeed(result)
      } catch (error) {
        return describe(error)
      }
    },
    settle(id, answer, failed) {
      const waiting = get(calls, id)
      if (waiting === undefined || !remove(calls, id)) return
      const value = decode(answer)
      if (!failed) {
        waiting.resolve(value)
        return
      }
      define(value as object, 'stack', {
        __proto__: null,
        value: waiting.site.stack,
        writable: true,
        configurable: true,
      } as PropertyDescriptor)
      waiting.reject(value)
    },
    fire(id) {
      const timer = get(timers, id)
      if (timer === undefined) return undefined
      if (!timer.repeats) remove(timers, id)
      try {
        timer.callback(...timer.values)
      } catch (error) {
        return describe(error)
      }
      return undefined
    },
    describe,
  }
}
