import type { GuestKit } from '../platform/kit.js'

/** Makes `performance` what the High Resolution Time standard says: an object of Performance, which is an EventTarget. */
export function installPerformance(kit: GuestKit): void {
  const { illegalConstructor } = kit.need('argument-errors')
  const { EventTarget } = kit.need('events')
  const { performance } = globalThis
  const { now } = performance
  const timeOrigin = Object.getOwnPropertyDescriptor(performance, 'timeOrigin')!.get!
  const INTERNAL = Symbol()

  class Performance extends EventTarget {
    constructor(internal?: symbol) {
      if (internal !== INTERNAL) throw illegalConstructor()
      super()
    }
    now() {
      return now()
    }
    get timeOrigin(): number {
      return timeOrigin.call(performance)
    }
    toJSON() {
      return { timeOrigin: this.timeOrigin }
    }
  }
  kit.expose({ Performance, performance: new Performance(INTERNAL) })
}
