import type { EncodedGlobals } from '../host/given-globals.js'
import type { CodecParts, ValueCodec } from '../values/value-codec.js'
import type { ConsoleParts } from './console.js'
import type { DescribeValue } from './describe-value.js'
import type { ErrorStacks } from './error-stacks.js'
import type { createAnswerOpener, GuestAnswer, GuestArgument, GuestNative } from './native.js'
import type { Platform, PlatformParts } from './platform/create-platform.js'
import type { GuestKit, WriteBody } from './platform/kit.js'
import type { NativeGlobal, PartName } from './platform/part.js'
import type { GuestErrorReport, HostAnswer, HostOperation, LogLevel } from './protocol.js'
import type { Uncurry } from './uncurry.js'
import type { BodyChunk, FetchResponse } from './web/fetch/fetch-messages.js'
import type { IncomingRequest, ResponsePart } from './web/fetch/served-request.js'

/** The host's one function in the guest; answers a number of `HostAnswer`, or what a native service gives. */
export type GuestHost = <Answer = number>(operation: number, ...args: GuestArgument[]) => Answer

/** What the prelude is given in addition to the host. */
export interface PreludeParts {
  createCodec(parts: CodecParts): ValueCodec
  installErrorStacks(uncurry: Uncurry): ErrorStacks
  createDescriber(uncurry: Uncurry, framesOf: ErrorStacks['framesOf']): DescribeValue
  createConsole(parts: ConsoleParts): Console
  createAnswerOpener: typeof createAnswerOpener
  createPlatform(parts: PlatformParts): Platform
  /** The globals of the engine that only parts of the platform get. */
  nativeGlobals: readonly NativeGlobal[]
  operations: typeof HostOperation
  answers: typeof HostAnswer
  nativeSymbol: string
  maxNesting: number
}

/** The functions that the host calls. */
export interface Prelude {
  /** Installs a part of the platform. */
  install: Platform['install']
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
  /** Begins a script of a context: installs the parts of the platform that it names, and its globals. */
  enter(partsJson: string, contextJson: string | undefined): void
  /** Gives what `run` gives, for the promise of a script's value. */
  evaluated(promise: Promise<{ value: unknown }>): Promise<string>
  /** The call goes on after it was frozen, with the facts of the one who resumes it. */
  resume(contextJson: string | undefined, deadline: number): void
  /** Hands over the answer to a question: text of the value codec, or what a native service answers. */
  settle(id: number, answer: GuestAnswer, failed: number | undefined): void
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
  const { createCodec, installErrorStacks, createDescriber, createConsole } = parts
  const { createAnswerOpener, createPlatform, nativeGlobals, nativeSymbol } = parts
  const { operations, answers, maxNesting } = parts
  const { parse, stringify } = JSON
  const { defineProperty: define, getPrototypeOf, getOwnPropertyDescriptor, keys } = Object
  const { now } = Date
  const { set: put } = Reflect
  const [GuestPromise, GuestError, GuestMap, toText] = [Promise, Error, Map, String]
  const [GuestTypeError, GuestRangeError] = [TypeError, RangeError]
  const uncurry: Uncurry = <This, Args extends unknown[], Result>(
    method: (this: This, ...args: Args) => Result,
  ): ((self: This, ...args: Args) => Result) => Function.prototype.call.bind(method) as never
  const clip = uncurry(String.prototype.slice)
  // Halves of surrogate pairs do not cross.
  const isWellFormed = uncurry(
    (String.prototype as unknown as { isWellFormed(this: string): boolean }).isWellFormed,
  )
  const isNotANumber = Number.isNaN
  const get = uncurry(Map.prototype.get) as <V>(map: Map<number, V>, id: number) => V | undefined
  const set = uncurry(Map.prototype.set)
  const remove = uncurry(Map.prototype.delete)
  const clear = uncurry(Map.prototype.clear)
  const MAX_TEXT = 16_384
  const MAX_CAUSES = 3
  const MAX_REASONS = 10
  const { isArray } = Array
  type Bytes = Uint8Array & { toBase64(): string }
  const { framesOf, stackOf } = installErrorStacks(uncurry)
  const describeValue = createDescriber(uncurry, framesOf)
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
  const framesText = (error: object): string | undefined => {
    try {
      const frames = framesOf(error)
      return frames === undefined ? undefined : text(frames)
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
      stack: framesText(error),
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
  /** Whether the module has run, so that timers and host calls are allowed. */
  let isLoaded = false
  const coded = (error: Error, code: string): Error => {
    ;(error as Error & { code: string }).code = code
    return error
  }
  const refuse = (answer: number, what: string, token: string): void => {
    if (answer === answers.Ok) return
    if (!isLoaded) {
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
    if (answer === answers.NotSuspendable) {
      throw new GuestError(`${what}: this call cannot be suspended`)
    }
    if (answer === answers.TooLarge) {
      const message = `${what}: there are more values than a call may hand over`
      throw coded(new GuestRangeError(message), 'RESOURCE_LIMIT')
    }
    throw new GuestTypeError(`${what}: wrong arguments`)
  }

  interface Waiting {
    isNative: boolean
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

  /** The mark tells who takes secrets out of the text that it was cut. */
  const cut = (text: string) => (text.length > 80 ? `${clip(text, 0, 79)}…` : text)
  const emit = async (type: unknown, data: unknown, attributes: unknown): Promise<void> => {
    if (typeof type !== 'string') {
      throw new GuestTypeError(
        `ctx.emit: expected the type of the event as a string, got ${typeof type}`,
      )
    }
    const dataJson = toJson(data, 'data') ?? 'null'
    const attributesJson = toJson(attributes, 'attributes') ?? 'null'
    const answer = isWellFormed(type)
      ? host(operations.Emit, type, dataJson, attributesJson)
      : answers.Malformed
    if (answer === answers.TooDeep) {
      throw tooDeep(deepPlace(data, 'data') ?? deepPlace(attributes, 'attributes') ?? 'data')
    }
    if (answer === answers.Malformed) {
      throw new GuestTypeError(
        `ctx.emit: expected a type of 1 to 512 bytes without * and >, and attributes as CloudEvents has them: names of lower-case letters and digits, values that are text without control characters, a boolean or an integer of 32 bits, time as RFC 3339, no data and data_base64 (the data is the second argument). Got the type ${cut(type)} and the attributes ${cut(attributesJson)}`,
      )
    }
    refuse(answer, `Emitting ${type}`, `events:emit:${type}`)
  }
  const ask = (
    operation: number,
    what: string,
    token: string,
    details: () => GuestArgument[],
    isNative = false,
  ): Promise<unknown> =>
    new GuestPromise((resolve, reject) => {
      const id = ++lastId
      // Made here, where the handler is on the stack: when the answer comes it no longer is.
      const site = new GuestError()
      set(calls, id, { __proto__: null, isNative, resolve, reject, site } as Waiting)
      let answer: number | string = answers.Malformed
      try {
        answer = host<number | string>(operation, id, ...details())
      } finally {
        if (answer !== answers.Ok) remove(calls, id)
      }
      if (typeof answer === 'string') open(answer)
      else refuse(answer, what, token)
    })
  const open = createAnswerOpener(clip)
  const native: GuestNative = {
    now(name, ...args) {
      const answer = host<number | GuestAnswer>(operations.Native, name, ...args)
      if (typeof answer !== 'number') return open(answer)
      refuse(answer, name, '')
      return ''
    },
    later: (name, ...args) =>
      ask(operations.NativeLater, name, '', () => [name, ...args], true) as Promise<GuestAnswer>,
  }
  define(globalThis, Symbol.for(nativeSymbol), {
    __proto__: null,
    value: Object.freeze(native),
  } as PropertyDescriptor)

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

  const invoke = (named: unknown, data: unknown): Promise<unknown> => {
    const name = text(named)
    const capability = `invoke:${name}`
    return ask(operations.Call, `Invoking ${name}`, capability, () => [
      '',
      capability,
      encoded([data], 'data'),
    ])
  }

  const suspend = async (kind: number, name: string, dataJson: string, dueAt: number, nth = 0) =>
    ask(operations.Suspend, `Suspending for ${name}`, `events:wait:${name}`, () => [
      kind,
      name,
      dataJson,
      dueAt,
      nth,
    ])
  /** How often the call was suspended for each name. */
  const suspensions = new GuestMap<string, number>()
  const countOf = (name: string): number =>
    get(suspensions as unknown as Map<number, number>, name as unknown as number) ?? 0
  const dueIn = (timeoutMs: unknown, of: string): number => {
    if (timeoutMs === undefined) return Infinity
    if (typeof timeoutMs === 'number' && timeoutMs >= 0) return now() + timeoutMs
    throw new GuestTypeError(`${of}: expected timeoutMs to be a number of milliseconds`)
  }
  const suspendFor = async (
    named: unknown,
    data: unknown,
    options: { timeoutMs?: unknown } | undefined,
  ): Promise<unknown> => {
    const name = text(named)
    const dueAt = dueIn(options?.timeoutMs, 'ctx.suspend')
    const nth = countOf(name) + 1
    set(suspensions, name, nth)
    return suspend(0, name, toJson(data, 'data') ?? '', dueAt, nth)
  }
  /** Of the next suspension of this name. */
  const resumeUrl = (named: unknown, value: unknown): Promise<unknown> => {
    const name = text(named)
    return ask(operations.Call, `Making a link for ${name}`, '', () => [
      '',
      'link:',
      encoded([name, countOf(name) + 1, toJson(value, 'value') ?? ''], 'value'),
    ])
  }
  const isScalar = (value: unknown): boolean =>
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    // Neither NaN nor infinite: JSON has no such numbers.
    (typeof value === 'number' && value - value === 0)
  /** A value that is missing by mistake must not mean that any event will do. */
  const assertMatch = (match: unknown): void => {
    const paths = typeof match === 'object' && match !== null ? keys(match) : [undefined]
    for (let i = 0; i < paths.length; i++) {
      const path = paths[i]
      if (path !== undefined && isScalar((match as Record<string, unknown>)[path])) continue
      const at = path === undefined ? '' : `, got something else at ${clip(path, 0, 80)}`
      throw new GuestTypeError(
        `ctx.waitFor: expected match to be an object such as { 'data.orderId': 7 }, of strings, numbers, booleans and null${at}`,
      )
    }
  }
  const waitForEvent = async (
    pattern: unknown,
    options: { match?: unknown; timeoutMs?: unknown } | undefined,
  ): Promise<unknown> => {
    if (typeof pattern !== 'string') {
      throw new GuestTypeError('ctx.waitFor: expected a pattern of event types')
    }
    const match = options?.match
    if (match !== undefined) assertMatch(match)
    const dueAt = dueIn(options?.timeoutMs, 'ctx.waitFor')
    return suspend(2, pattern, toJson(match, 'match') ?? '', dueAt)
  }
  const sleepUntil = async (until: unknown): Promise<void> => {
    const isMs = typeof until === 'number'
    const dueAt = isMs ? now() + until : +(until as Date)
    if (isNotANumber(dueAt) || until === null || (!isMs && typeof until !== 'object')) {
      throw new GuestTypeError('ctx.sleep: expected a number of milliseconds, or a date')
    }
    await suspend(1, 'sleep', '', dueAt)
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
      const wrong: Error & { code?: string } = new GuestTypeError(
        `A timer takes a function, got ${typeof callback}`,
      )
      wrong.code = 'ERR_INVALID_ARG_TYPE'
      throw wrong
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

  const fetch: GuestKit['fetch'] = async (request, signal, upload) => {
    const answer = ask(operations.Fetch, 'fetch', '', () => [encoded(request, 'request')])
    const id = lastId
    if (upload) {
      const write = (bytes: Uint8Array, ended: boolean) =>
        ask(operations.WriteBody, 'Sending a body', '', () => [
          id,
          encoded(bytes, 'body'),
          ended ? 1 : 0,
        ])
      upload(write as WriteBody)
    }
    /** The question that waits for an answer. */
    let asked = id
    signal.addEventListener('abort', () => {
      host(operations.Abort, id)
      const waiting = get(calls, asked)
      if (waiting !== undefined && remove(calls, asked)) waiting.reject(signal.reason)
    })
    const response = (await answer) as FetchResponse
    return {
      response,
      arriving: {
        signal,
        async read(all) {
          signal.throwIfAborted()
          const chunk = ask(operations.ReadBody, 'Reading a body', '', () => [id, all ? 1 : 0])
          asked = lastId
          return (await chunk) as BodyChunk
        },
        cancel: () => void host(operations.Abort, id),
      },
    }
  }
  const requestPart = (name: PartName): void => {
    const answer = host(operations.Install, name)
    if (answer === answers.Ok) return
    throw coded(
      new GuestRangeError(`Installing ${name}, which this needs, is over a limit of this call`),
      'RESOURCE_LIMIT',
    )
  }
  const { install, loaded } = createPlatform({
    nativeGlobals,
    requestPart,
    fetch,
    host: native,
    setTimeout,
    report: (error) => guestConsole.error('Uncaught', error),
  })

  interface Facts {
    functionName?: string
    attempt?: number
    env?: Record<string, string>
    secrets?: Record<string, string>
    globals?: EncodedGlobals
    /** The event is a request, and the handler answers with a Response. */
    isRequest?: boolean
  }
  const installGlobals = ({ values, functions }: EncodedGlobals): void => {
    const globals = decode(values) as Record<string, unknown>
    for (const path of functions) {
      let holder = globals
      let name = path[0] as string
      for (let i = 1; i < path.length; i++) {
        holder = holder[path[i - 1] as string] as Record<string, unknown>
        name += `.${path[i]}`
      }
      holder[path[path.length - 1] as string] = (...values: unknown[]) =>
        ask(operations.Call, `Calling ${name}`, '', () => ['', name, encoded(values, name)])
    }
    for (const name of keys(globals)) {
      define(globalThis, name, {
        __proto__: null,
        value: globals[name],
        writable: true,
        configurable: true,
        enumerable: true,
      } as PropertyDescriptor)
    }
  }
  const generators = [function* () {}, async function* () {}].map((made) => getPrototypeOf(made))
  const kindOf = (value: unknown): string => {
    if (typeof value !== 'function') return typeof value
    const prototype: unknown = getPrototypeOf(value)
    if (prototype === generators[0] || prototype === generators[1]) return 'a generator function'
    // Of a class it cannot be replaced.
    return getOwnPropertyDescriptor(value, 'prototype')?.writable === false ? 'a class' : 'function'
  }
  /** An application such as one of Hono: what its module exports is an object that answers requests. */
  const isApp = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { fetch?: unknown }).fetch === 'function'
  const respond = (part: ResponsePart): Promise<unknown> =>
    ask(operations.Call, 'Sending a response', '', () => [
      '',
      'response:',
      encoded([part], 'response'),
    ])
  const serve = (request: IncomingRequest, context: object): Promise<void> => {
    if (loaded.fetch === undefined) {
      throw new GuestTypeError(
        'The handler of a request has to return a Response, and its code names none',
      )
    }
    return loaded.fetch.serve(handler, request, context, respond)
  }
  const noFacts = { __proto__: null } as Facts
  /** The context of the call, and its signal once it was asked for. */
  let current: object
  let signal: AbortSignal | undefined

  return {
    install,
    load(namespace) {
      let found = namespace.default
      // A CommonJS module that was compiled from an ES module: its exports are the default export.
      if (typeof found === 'object' && found !== null && !isApp(found)) {
        found = (found as { default?: unknown }).default ?? found
      }
      handler = found as typeof handler
      isLoaded = true
      return isApp(found) ? 'function' : kindOf(found)
    },
    run(eventJson, contextJson, deadline) {
      try {
        const facts: Facts = contextJson === undefined ? noFacts : parse(contextJson)
        if (facts.globals !== undefined) installGlobals(facts.globals)
        const context = {
          functionName: facts.functionName,
          attempt: facts.attempt ?? 1,
          env: facts.env ?? {},
          secrets: facts.secrets ?? {},
          deadline,
          log: logger,
          emit,
          call,
          invoke,
          suspend: suspendFor,
          sleep: sleepUntil,
          waitFor: waitForEvent,
          resumeUrl,
        }
        current = context
        const { events, node } = loaded
        if (node !== undefined) node.env = { ...context.env }
        if (events !== undefined) {
          signal = undefined
          define(context, 'signal', {
            __proto__: null,
            get: () => {
              signal ??= events.signalUntil(context.deadline)
              return signal
            },
            enumerable: true,
          } as PropertyDescriptor)
        }
        const event = parse(eventJson)
        if (!facts.isRequest && isApp(handler)) {
          throw new GuestTypeError(
            'This handler is an application that answers requests, and no function of an event: it needs a function with `http`',
          )
        }
        const result = facts.isRequest ? serve(event, context) : handler!(event, context)
        node?.turnEnded?.()
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
    enter(partsJson, contextJson) {
      isLoaded = true
      // What the scripts before it asked is not answered any more.
      clear(calls)
      clear(timers)
      const parts: PartName[] = parse(partsJson)
      for (let i = 0; i < parts.length; i++) {
        if (!(parts[i]! in loaded)) requestPart(parts[i]!)
      }
      if (contextJson === undefined) return
      const facts: Facts = parse(contextJson)
      if (facts.globals !== undefined) installGlobals(facts.globals)
      if (loaded.node !== undefined && facts.env !== undefined) loaded.node.env = facts.env
    },
    resume(contextJson, deadline) {
      const { functionName, attempt, env, secrets }: Facts =
        contextJson === undefined ? noFacts : parse(contextJson)
      // A handler may have frozen its context.
      put(current, 'functionName', functionName)
      put(current, 'attempt', attempt ?? 1)
      put(current, 'env', env ?? {})
      put(current, 'secrets', secrets ?? {})
      put(current, 'deadline', deadline)
      signal = undefined
      if (loaded.node !== undefined) loaded.node.env = { ...env }
    },
    evaluated: (promise) => finish((async () => (await promise).value)()),
    settle(id, answer, failed) {
      const waiting = get(calls, id)
      if (waiting === undefined || !remove(calls, id)) return
      let value: unknown
      let isError = failed === 1
      try {
        value = waiting.isNative ? open(answer) : decode(answer as string)
      } catch (error) {
        value = error
        isError = true
      }
      if (!isError) {
        waiting.resolve(value)
        return
      }
      define(value as object, 'stack', {
        __proto__: null,
        value: stackOf(value as object, text(framesOf(waiting.site))),
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
        loaded.node?.turnEnded?.()
      } catch (error) {
        return describe(error)
      }
      return undefined
    },
    describe,
  }
}
