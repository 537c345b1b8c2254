import { createValueCodec } from '../values/value-codec.js'
import { installEngineGaps } from './web/engine-gaps.js'
import { installEvents } from './web/events.js'
import { installFetch } from './web/fetch-api.js'
import { installKeyFormats } from './web/key-formats.js'

/** The functions of the prelude that the host calls. */
export const PRELUDE_ENTRIES = ['load', 'run', 'settle', 'fire', 'describe'] as const

export type PreludeEntry = (typeof PRELUDE_ENTRIES)[number]

/**
 * The guest's side of a call, run once before any handler is loaded.
 *
 * It takes everything it uses from the pristine globals first: a handler may replace `JSON`,
 * `Promise.prototype.then` or `Object.prototype` and still only fool itself. Nothing here is a
 * guard: what a guest may do is decided on the host's side of each host call.
 *
 * `run` returns the JSON of the result, `''` for undefined, or `!` and the JSON of an error; or a
 * promise of one of these.
 *
 * `createCodec` is what `createValueCodec` is on the host; `installWeb` installs the web APIs, where
 * the handler gets them.
 */
const PRELUDE = `(host, createCodec, installWeb) => {
  'use strict'
  const { parse, stringify } = JSON
  const { defineProperty: define } = Object
  const { now } = Date
  const { Promise: GuestPromise, Error: GuestError, TypeError: GuestTypeError, RangeError: GuestRangeError, String: toText, Map: GuestMap } = globalThis
  const uncurry = (method) => Function.prototype.call.bind(method)
  const clip = uncurry(String.prototype.slice)
  const get = uncurry(Map.prototype.get)
  const set = uncurry(Map.prototype.set)
  const remove = uncurry(Map.prototype.delete)
  const LOG = 1, EMIT = 2, CALL = 3, SET_TIMER = 4, CLEAR_TIMER = 5, FETCH = 6, ABORT = 7
  const DENIED = 1, LIMIT = 2, MALFORMED = 3
  const MAX_TEXT = 16384
  const base64 = { toBase64: uncurry(Uint8Array.prototype.toBase64), fromBase64: Uint8Array.fromBase64 }
  const { encode, decode } = createCodec(base64)

  const text = (value) => {
    try { return clip(typeof value === 'symbol' ? toText(value) : '' + value, 0, MAX_TEXT) }
    catch { return 'a value that cannot be turned into text' }
  }
  const read = (object, key) => {
    try {
      const value = object[key]
      return value === undefined ? undefined : text(value)
    } catch { return undefined }
  }
  const report = (error, depth) => {
    if (error === null || (typeof error !== 'object' && typeof error !== 'function')) {
      return { __proto__: null, name: 'Error', message: text(error) }
    }
    let cause
    try { cause = error.cause } catch {}
    return {
      __proto__: null,
      name: read(error, 'name') ?? 'Error',
      message: read(error, 'message') ?? text(error),
      stack: read(error, 'stack'),
      code: read(error, 'code'),
      cause: cause === undefined || depth === 3 ? undefined : report(cause, depth + 1),
    }
  }
  const describe = (error) => '!' + stringify(report(error, 0))

  const succeed = (value) => {
    let json
    try { json = stringify(value) }
    catch (cause) {
      // A TypeError is how JSON refuses a value; all else came from what it ran, or from a limit.
      if (!(cause instanceof GuestTypeError)) throw cause
      throw new GuestTypeError('The result of the handler cannot be turned into JSON: ' + read(cause, 'message'), { cause })
    }
    return json === undefined ? '' : json
  }
  const finish = async (result) => {
    try { return succeed(await result) } catch (error) { return describe(error) }
  }

  const refuse = (answer, what, token) => {
    if (answer === DENIED) {
      const error = new GuestError(what + ' is not allowed; grant it with the capability ' + token)
      error.name = 'PermissionError'
      error.code = 'PERMISSION_DENIED'
      throw error
    }
    if (answer === LIMIT) {
      const error = new GuestRangeError(what + ' is over a limit of this call')
      error.code = 'RESOURCE_LIMIT'
      throw error
    }
    if (answer === MALFORMED) throw new GuestTypeError(what + ': wrong arguments')
  }

  let lastId = 0
  const calls = new GuestMap()
  const timers = new GuestMap()

  const toJson = (value) => {
    const json = stringify(value)
    return json === undefined ? 'null' : json
  }
  const log = (level) => (message, fields) => {
    let json
    try { json = fields === undefined ? undefined : stringify(fields) } catch (error) { json = stringify({ __proto__: null, unserialisable: read(error, 'message') }) }
    host(LOG, level, text(message), json)
  }
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }

  const emit = async (type, data, attributes) => {
    if (typeof type !== 'string') throw new GuestTypeError('ctx.emit: expected the type of the event as a string, got ' + typeof type)
    refuse(host(EMIT, type, toJson(data), toJson(attributes)), 'Emitting ' + type, 'events:emit:' + type)
  }
  const ask = (operation, what, token, details) => new GuestPromise((resolve, reject) => {
    const id = ++lastId
    // Made here, where the handler is on the stack: when the answer comes it no longer is.
    set(calls, id, { __proto__: null, resolve, reject, site: new GuestError() })
    let answer = MALFORMED
    try { answer = host(operation, id, ...details()) } finally { if (answer !== 0) remove(calls, id) }
    refuse(answer, what, token)
  })
  const call = (extension, method, ...values) => {
    const name = text(extension)
    const methodName = text(method)
    const what = name + '.' + methodName
    return ask(CALL, 'Calling ' + what, 'ext:' + name, () => [name, methodName, encode(values, what)])
  }

  const show = (value) => {
    if (typeof value === 'string') return value
    if (typeof value === 'object' && value !== null) {
      const message = read(value, 'stack')
      if (message !== undefined) return (read(value, 'name') ?? 'Error') + ': ' + read(value, 'message') + '\\n' + message
      try { return stringify(value) ?? text(value) } catch {}
    }
    return text(value)
  }
  const print = (level) => (...values) => {
    let line = ''
    for (let i = 0; i < values.length; i++) line += (i === 0 ? '' : ' ') + show(values[i])
    host(LOG, level, clip(line, 0, MAX_TEXT))
  }
  globalThis.console = { debug: print('debug'), log: print('info'), info: print('info'), warn: print('warn'), error: print('error') }

  // The engine's own has the moment at which the image was made as its origin, and keeps it.
  const monotonic = performance.now
  globalThis.performance = { now: () => monotonic(), get timeOrigin() { return now() - monotonic() } }

  const startTimer = (callback, delayMs, values, repeats) => {
    if (typeof callback !== 'function') throw new GuestTypeError('A timer takes a function, got ' + typeof callback)
    const id = ++lastId
    const delay = +delayMs
    refuse(host(SET_TIMER, id, delay > 0 ? delay : 0, repeats), 'Another timer', '')
    set(timers, id, { __proto__: null, callback, values, repeats })
    return id
  }
  const stopTimer = (id) => {
    if (remove(timers, id)) host(CLEAR_TIMER, id)
  }
  globalThis.setTimeout = (callback, delayMs, ...values) => startTimer(callback, delayMs, values, 0)
  globalThis.setInterval = (callback, delayMs, ...values) => startTimer(callback, delayMs, values, 1)
  globalThis.clearTimeout = stopTimer
  globalThis.clearInterval = stopTimer

  const fetch = (request, signal) => {
    const answer = ask(FETCH, 'fetch', '', () => [encode(request, 'request')])
    const id = lastId
    signal.addEventListener('abort', () => {
      const waiting = get(calls, id)
      if (!remove(calls, id)) return
      host(ABORT, id)
      waiting.reject(signal.reason)
    })
    return answer
  }
  const signalUntil = installWeb && installWeb({ fetch, setTimeout, report: (error) => host(LOG, 'error', 'Uncaught ' + show(error)) })

  let handler
  const noFacts = { __proto__: null }

  return {
    load(namespace) {
      handler = namespace.default
      return typeof handler
    },
    run(eventJson, contextJson, deadline) {
      try {
        const facts = contextJson === undefined ? noFacts : parse(contextJson)
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
          let signal
          define(context, 'signal', { __proto__: null, get: () => signal ??= signalUntil(deadline), enumerable: true })
        }
        const result = handler(parse(eventJson), context)
        if (result !== null && (typeof result === 'object' || typeof result === 'function') && typeof result.then === 'function') return finish(result)
        return succeed(result)
      } catch (error) { return describe(error) }
    },
    settle(id, answer, failed) {
      const waiting = get(calls, id)
      if (!remove(calls, id)) return
      const value = decode(answer)
      if (!failed) return waiting.resolve(value)
      define(value, 'stack', { __proto__: null, value: waiting.site.stack, writable: true, configurable: true })
      waiting.reject(value)
    },
    fire(id) {
      const timer = get(timers, id)
      if (timer === undefined) return
      if (timer.repeats === 0) remove(timers, id)
      try { timer.callback(...timer.values) } catch (error) { return describe(error) }
    },
    describe,
  }
}`

const INSTALL_WEB = `(kit) => {
  (${installEngineGaps})();
  (${installKeyFormats})()
  const signalUntil = (${installEvents})(kit);
  (${installFetch})(kit)
  return signalUntil
}`

/** The prelude as one function of the guest's `host`, with or without the web APIs. */
export function preludeSource(webApis: boolean): string {
  return `(host) => (${PRELUDE})(host, ${createValueCodec}, ${webApis ? INSTALL_WEB : 'undefined'})`
}
