import type { GuestKit } from './kit.js'

/**
 * Installs Event, CustomEvent, EventTarget, AbortController and AbortSignal in the guest.
 *
 * The guest gets the source of this function: it may use nothing but its argument and globals.
 * There is no tree of targets, so there is no capturing and no bubbling.
 *
 * @returns what makes the signal of a call, which aborts at `deadline` less a little
 */
export function installEvents(kit: GuestKit): (deadline: number) => AbortSignal {
  const { now } = Date
  const { min, max } = Math

  interface Listener {
    type: string
    callback: EventListenerOrEventListenerObject
    once: boolean
    capture: boolean
    removed: boolean
  }
  interface Dispatch {
    target: EventTarget | null
    stopped: boolean
    under: boolean
  }
  const dispatches = new WeakMap<object, Dispatch>()
  const stateOf = (event: object): Dispatch => dispatches.get(event)!

  class Event {
    readonly type: string
    readonly bubbles: boolean
    readonly cancelable: boolean
    readonly composed: boolean
    readonly timeStamp = performance.now()
    readonly isTrusted = false
    #prevented = false

    constructor(type: string, init: EventInit = {}) {
      if (type === undefined) throw new TypeError('Event: expected a type')
      this.type = String(type)
      this.bubbles = Boolean(init.bubbles)
      this.cancelable = Boolean(init.cancelable)
      this.composed = Boolean(init.composed)
      dispatches.set(this, { target: null, stopped: false, under: false })
    }
    get target() {
      return stateOf(this).target
    }
    get currentTarget() {
      const { under, target } = stateOf(this)
      return under ? target : null
    }
    get srcElement() {
      return stateOf(this).target
    }
    get eventPhase() {
      return stateOf(this).under ? 2 : 0
    }
    get defaultPrevented() {
      return this.#prevented
    }
    get returnValue() {
      return !this.#prevented
    }
    preventDefault() {
      if (this.cancelable) this.#prevented = true
    }
    stopPropagation() {}
    stopImmediatePropagation() {
      stateOf(this).stopped = true
    }
    composedPath() {
      const { under, target } = stateOf(this)
      return under ? [target] : []
    }
  }

  class CustomEvent extends Event {
    readonly detail: unknown
    constructor(type: string, init: CustomEventInit = {}) {
      super(type, init)
      this.detail = init.detail ?? null
    }
  }

  class EventTarget {
    #listeners: Listener[] = []

    addEventListener(
      type: string,
      callback: EventListenerOrEventListenerObject | null,
      options: boolean | AddEventListenerOptions = {},
    ) {
      const { once, capture, signal } =
        typeof options === 'boolean'
          ? ({ capture: options } as AddEventListenerOptions)
          : (options ?? {})
      if (callback === null || callback === undefined || signal?.aborted) return
      const wanted = { type: String(type), capture: Boolean(capture) }
      if (this.#find(wanted.type, callback, wanted.capture)) return
      this.#listeners.push({ ...wanted, callback, once: Boolean(once), removed: false })
      signal?.addEventListener('abort', () =>
        this.removeEventListener(type, callback, wanted.capture),
      )
    }

    removeEventListener(
      type: string,
      callback: EventListenerOrEventListenerObject | null,
      options: boolean | EventListenerOptions = {},
    ) {
      const capture = typeof options === 'boolean' ? options : Boolean(options?.capture)
      const found = callback && this.#find(String(type), callback, capture)
      if (!found) return
      found.removed = true
      this.#listeners = this.#listeners.filter((listener) => listener !== found)
    }

    dispatchEvent(event: Event): boolean {
      const state = dispatches.get(event)
      if (!state) throw new TypeError('dispatchEvent: expected an Event')
      if (state.under) {
        throw new DOMException('The event is being dispatched already', 'InvalidStateError')
      }
      state.target = this as never
      state.under = true
      state.stopped = false
      for (const listener of this.#listeners.slice()) {
        if (listener.type !== event.type || listener.removed) continue
        if (state.stopped) break
        if (listener.once) {
          this.removeEventListener(listener.type, listener.callback, listener.capture)
        }
        try {
          const { callback } = listener
          if (typeof callback === 'function') callback.call(this as never, event as never)
          else callback.handleEvent(event as never)
        } catch (error) {
          kit.report(error)
        }
      }
      state.under = false
      return !event.defaultPrevented
    }

    #find(type: string, callback: EventListenerOrEventListenerObject, capture: boolean) {
      return this.#listeners.find(
        (listener) =>
          listener.type === type && listener.callback === callback && listener.capture === capture,
      )
    }
  }

  const ALLOWED = Symbol()
  let abortSignal: (signal: AbortSignal, reason: unknown) => void
  class AbortSignal extends EventTarget {
    #aborted = false
    #reason: unknown
    onabort: ((event: Event) => unknown) | null = null

    static {
      abortSignal = (signal, reason) => {
        if (signal.#aborted) return
        signal.#aborted = true
        signal.#reason =
          reason === undefined ? new DOMException('This was aborted', 'AbortError') : reason
        signal.dispatchEvent(new Event('abort'))
      }
    }
    constructor(allowed?: symbol) {
      if (allowed !== ALLOWED) throw new TypeError('Illegal constructor: use AbortController')
      super()
      this.addEventListener('abort', ((event: Event) => this.onabort?.(event)) as never)
    }
    static abort(reason?: unknown) {
      const signal = new AbortSignal(ALLOWED)
      abortSignal(signal, reason)
      return signal
    }
    static timeout(delayMs: number) {
      const signal = new AbortSignal(ALLOWED)
      kit.setTimeout(
        () => abortSignal(signal, new DOMException('The time is up', 'TimeoutError')),
        delayMs,
      )
      return signal
    }
    static any(signals: Iterable<AbortSignal>) {
      const any = new AbortSignal(ALLOWED)
      for (const signal of signals) {
        if (signal.aborted) {
          abortSignal(any, signal.reason)
          break
        }
        signal.addEventListener('abort', () => abortSignal(any, signal.reason), { once: true })
      }
      return any
    }
    get aborted() {
      return this.#aborted
    }
    get reason() {
      return this.#reason
    }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason
    }
  }

  class AbortController {
    readonly signal = new AbortSignal(ALLOWED)
    abort(reason?: unknown) {
      abortSignal(this.signal, reason)
    }
  }

  const apis = { Event, CustomEvent, EventTarget, AbortSignal, AbortController }
  for (const [name, api] of Object.entries(apis)) {
    Object.defineProperty(globalThis, name, { value: api, writable: true, configurable: true })
    // A bundler may have renamed the class.
    Object.defineProperty(api, 'name', { value: name, configurable: true })
    Object.defineProperty(api.prototype, Symbol.toStringTag, { value: name, configurable: true })
  }

  /** Handlers must have a moment left to act on it: a tenth of what is left, at most 100 ms. */
  return (deadline) => {
    const signal = new AbortSignal(ALLOWED)
    const left = deadline - now()
    kit.setTimeout(
      () => abortSignal(signal, new DOMException('The call is at its deadline', 'TimeoutError')),
      max(0, left - min(100, left / 10)),
    )
    return signal as never
  }
}
