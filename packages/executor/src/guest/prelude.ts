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
 */
export const PRELUDE = `(host) => {
  'use strict'
  const { parse, stringify } = JSON
  const { Promise: GuestPromise, Error: GuestError, TypeError: GuestTypeError, RangeError: GuestRangeError, String: toText, Map: GuestMap } = globalThis
  const uncurry = (method) => Function.prototype.call.bind(method)
  const clip = uncurry(String.prototype.slice)
  const get = uncurry(Map.prototype.get)
  const set = uncurry(Map.prototype.set)
  const remove = uncurry(Map.prototype.delete)
  const LOG = 1, EMIT = 2, CALL = 3, SET_TIMER = 4, CLEAR_TIMER = 5
  const DENIED = 1, LIMIT = 2, MALFORMED = 3
  const MAX_TEXT = 16384

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
  const call = (extension, method, ...values) => new GuestPromise((resolve, reject) => {
    const id = ++lastId
    const name = text(extension)
    set(calls, id, { __proto__: null, resolve, reject })
    const answer = host(CALL, id, name, text(method), stringify(values))
    if (answer === 0) return
    remove(calls, id)
    refuse(answer, 'Calling ' + name + '.' + text(method), 'ext:' + name)
  })

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
        const result = handler(parse(eventJson), {
          functionName: facts.functionName,
          attempt: facts.attempt ?? 1,
          env: facts.env ?? {},
          deadline,
          log: logger,
          emit,
          call,
        })
        if (result !== null && (typeof result === 'object' || typeof result === 'function') && typeof result.then === 'function') return finish(result)
        return succeed(result)
      } catch (error) { return describe(error) }
    },
    settle(id, json, failed) {
      const waiting = get(calls, id)
      if (!remove(calls, id)) return
      const value = json === '' ? undefined : parse(json)
      if (!failed) return waiting.resolve(value)
      const error = new GuestError(value.message)
      error.name = value.name
      if (value.code !== undefined) error.code = value.code
      waiting.reject(error)
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
