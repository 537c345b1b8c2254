import type { GuestKit, PartExports } from '../../platform/kit.js'

/**
 * Installs Event, CustomEvent, EventTarget, AbortController and AbortSignal in the guest.
 *
 * There is no tree of targets, so there is no capturing and no bubbling.
 */
export function installEvents(kit: GuestKit): PartExports['events'] {
  const { coded, illegalConstructor, optionsOf, require, wrongType } = kit.need('argument-errors')
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
    static readonly NONE = 0
    static readonly CAPTURING_PHASE = 1
    static readonly AT_TARGET = 2
    static readonly BUBBLING_PHASE = 3
    #type: string
    #bubbles: boolean
    #cancelable: boolean
    readonly #composed: boolean
    readonly #timeStamp = performance.now()
    readonly #isTrusted = false
    #prevented = false
    #propagationStopped = false

    constructor(...args: [type: string, init?: EventInit | null]) {
      require(args, 'type')
      const { bubbles, cancelable, composed } = optionsOf(args[1]) as EventInit
      this.#type = `${args[0]}`
      this.#bubbles = Boolean(bubbles)
      this.#cancelable = Boolean(cancelable)
      this.#composed = Boolean(composed)
      dispatches.set(this, { target: null, stopped: false, under: false })
    }
    get type() {
      return this.#type
    }
    get bubbles() {
      return this.#bubbles
    }
    get cancelable() {
      return this.#cancelable
    }
    get composed() {
      return this.#composed
    }
    get timeStamp() {
      return this.#timeStamp
    }
    get isTrusted() {
      return this.#isTrusted
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
      if (this.#cancelable) this.#prevented = true
    }
    stopPropagation() {
      this.#propagationStopped = true
    }
    get cancelBubble() {
      return this.#propagationStopped
    }
    set cancelBubble(value: boolean) {
      if (value) this.#propagationStopped = true
    }
    stopImmediatePropagation() {
      stateOf(this).stopped = true
    }
    initEvent(...args: [type: string, bubbles?: boolean, cancelable?: boolean]) {
      require(args, 'type')
      if (stateOf(this).under) return
      this.#type = `${args[0]}`
      this.#bubbles = Boolean(args[1])
      this.#cancelable = Boolean(args[2])
    }
    composedPath() {
      const { under, target } = stateOf(this)
      return under ? [target] : []
    }
  }

  class CustomEvent extends Event {
    readonly #detail: unknown
    constructor(...args: [type: string, init?: CustomEventInit | null]) {
      super(...args)
      this.#detail = args[1]?.detail ?? null
    }
    get detail() {
      return this.#detail
    }
  }

  class EventTarget {
    #listeners: Listener[] = []

    addEventListener(
      ...args: [
        type: string,
        callback: EventListenerOrEventListenerObject | null,
        options?: boolean | AddEventListenerOptions,
      ]
    ) {
      require(args, 'type', 'listener')
      const [type, callback, options = {}] = args
      const { once, capture, signal } =
        typeof options === 'boolean'
          ? ({ capture: options } as AddEventListenerOptions)
          : (options ?? {})
      if (callback === null || callback === undefined) return
      if (typeof callback !== 'function' && typeof callback !== 'object') {
        throw wrongType('listener', 'an instance of EventListener', callback)
      }
      if (signal?.aborted) return
      const wanted = { type: String(type), capture: Boolean(capture) }
      if (this.#find(wanted.type, callback, wanted.capture)) return
      this.#listeners.push({ ...wanted, callback, once: Boolean(once), removed: false })
      signal?.addEventListener('abort', () =>
        this.removeEventListener(type, callback, wanted.capture),
      )
    }

    removeEventListener(
      ...args: [
        type: string,
        callback: EventListenerOrEventListenerObject | null,
        options?: boolean | EventListenerOptions,
      ]
    ) {
      require(args, 'type', 'listener')
      const [type, callback, options = {}] = args
      const isListener = typeof callback === 'function' || typeof callback === 'object'
      if (!isListener && callback !== undefined) {
        throw wrongType('listener', 'an instance of EventListener', callback)
      }
      const capture = typeof options === 'boolean' ? options : Boolean(options?.capture)
      const found = callback && this.#find(String(type), callback, capture)
      if (!found) return
      found.removed = true
      this.#listeners = this.#listeners.filter((listener) => listener !== found)
    }

    dispatchEvent(...args: [event: Event]): boolean {
      require(args, 'event')
      const [event] = args
      const state = dispatches.get(event)
      if (!state) throw wrongType('event', 'an instance of Event', event)
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
  const MAX_DELAY = 2 ** 32 - 1
  let abortSignal: (signal: AbortSignal, reason: unknown) => void
  class AbortSignal extends EventTarget {
    #aborted = false
    #reason: unknown
    #onabort: ((event: Event) => unknown) | null = null
    #listens = false
    /** The signals that this one follows: none of them follows another. */
    #sources: AbortSignal[] = []
    #followers: AbortSignal[] = []

    static {
      abortSignal = (signal, reason) => {
        if (signal.#aborted) return
        const why =
          reason === undefined ? new DOMException('This was aborted', 'AbortError') : reason
        // All are aborted before the first listener runs.
        const reached = [signal, ...signal.#followers.filter((follower) => !follower.#aborted)]
        for (const each of reached) {
          each.#aborted = true
          each.#reason = why
        }
        for (const each of reached) each.dispatchEvent(new Event('abort'))
      }
    }
    constructor(allowed?: symbol) {
      if (allowed !== ALLOWED) throw illegalConstructor()
      super()
    }
    static abort(reason?: unknown) {
      const signal = new AbortSignal(ALLOWED)
      abortSignal(signal, reason)
      return signal
    }
    static timeout(delayMs: number) {
      if (typeof delayMs !== 'number') {
        throw wrongType('delay', 'of type number', delayMs)
      }
      if (!Number.isInteger(delayMs) || delayMs < 0 || delayMs > MAX_DELAY) {
        const expected = Number.isInteger(delayMs) ? `>= 0 && <= ${MAX_DELAY}` : 'an integer'
        throw coded(
          'ERR_OUT_OF_RANGE',
          `The value of "delay" is out of range. It must be ${expected}. Received ${delayMs}`,
          RangeError,
        )
      }
      const signal = new AbortSignal(ALLOWED)
      kit.setTimeout(
        () => abortSignal(signal, new DOMException('The time is up', 'TimeoutError')),
        delayMs,
      )
      return signal
    }
    static any(signals: Iterable<AbortSignal>) {
      if (typeof signals !== 'object' || typeof signals?.[Symbol.iterator] !== 'function') {
        throw wrongType('signals', 'an instance of Array', signals)
      }
      const given = [...signals]
      given.forEach((signal, i) => {
        if (signal instanceof AbortSignal) return
        throw wrongType(`signals[${i}]`, 'an instance of AbortSignal', signal)
      })
      const any = new AbortSignal(ALLOWED)
      const first = given.find((signal) => signal.#aborted)
      if (first) {
        any.#aborted = true
        any.#reason = first.#reason
        return any
      }
      const isFollowing = (signal: AbortSignal) => signal.#sources.length > 0
      for (const source of given.flatMap((each) => (isFollowing(each) ? each.#sources : each))) {
        if (any.#sources.includes(source)) continue
        any.#sources.push(source)
        source.#followers.push(any)
      }
      return any
    }
    get onabort() {
      return this.#onabort
    }
    set onabort(listener: ((event: Event) => unknown) | null) {
      this.#onabort = typeof listener === 'function' ? listener : null
      if (this.#listens || !this.#onabort) return
      // Its place among the listeners is that of the first that was set.
      this.#listens = true
      this.addEventListener('abort', ((event: Event) => this.#onabort?.(event)) as never)
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
    readonly #signal = new AbortSignal(ALLOWED)
    get signal() {
      return this.#signal
    }
    abort(reason?: unknown) {
      abortSignal(this.#signal, reason)
    }
  }

  const apis = { Event, CustomEvent, EventTarget, AbortSignal, AbortController }
  kit.expose(apis)

  /** Handlers must have a moment left to act on it: a tenth of what is left, at most 100 ms. */
  const signalUntil = (deadline: number) => {
    const signal = new AbortSignal(ALLOWED)
    const left = deadline - now()
    kit.setTimeout(
      () => abortSignal(signal, new DOMException('The call is at its deadline', 'TimeoutError')),
      max(0, left - min(100, left / 10)),
    )
    return signal
  }
  return { ...apis, signalUntil } as never
}
