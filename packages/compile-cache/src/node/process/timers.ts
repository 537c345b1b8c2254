import { assertFunction } from '../node-error.js'

const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis

/** What `setImmediate` gives. */
class Immediate {
  readonly id: unknown
  constructor(id: unknown) {
    this.id = id
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
}

/** Calls `callback` in a turn of its own, before timers that are set later. */
export function setImmediate(callback: (...args: never[]) => void, ...args: unknown[]): Immediate {
  assertFunction(callback, 'callback')
  return new Immediate(globalThis.setTimeout(callback as () => void, 0, ...args))
}

export function clearImmediate(immediate: unknown): void {
  if (immediate instanceof Immediate) globalThis.clearTimeout(immediate.id as never)
}

export { clearInterval, clearTimeout, setInterval, setTimeout }
export default {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
}
