import { DeadLetters } from '@nexus/event-bus'

/** A part that works until it is told to fail. */
export interface Breakable<Part extends object> {
  part: Part
  /** From now on everything that is asked of the part throws what `make` makes, or its methods reject with it. */
  breakWith(make: () => unknown, how?: 'throws' | 'rejects'): void
  /** From now on the part works again. */
  mend(): void
}

/** A part around `original` that can be made to fail as a whole: a method that a later version calls fails too. */
export function breakable<Part extends object>(original: Part): Breakable<Part> {
  let fail: (() => unknown) | undefined
  const handler: ProxyHandler<object> = {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      // `then` is asked of everything that is awaited.
      if (key === 'then') return value
      if (typeof value === 'function') {
        return (...args: unknown[]) => (fail ? fail() : Reflect.apply(value, target, args))
      }
      // A part of the bus fails when it is called.
      if (value instanceof DeadLetters) return new Proxy(value, handler)
      return fail ? fail() : value
    },
    apply: (target, self, args) => (fail ? fail() : Reflect.apply(target as never, self, args)),
  }
  const part = new Proxy(original, handler) as Part
  return {
    part,
    breakWith(make, how = 'throws') {
      fail = () => {
        if (how === 'rejects') return Promise.reject(make())
        throw make()
      }
    },
    mend() {
      fail = undefined
    },
  }
}
