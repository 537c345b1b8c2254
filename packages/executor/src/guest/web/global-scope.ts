import type { GuestKit } from '../platform/kit.js'

/** Installs `self`, `navigator` and `reportError` in the guest. The global object is no EventTarget, as in Node. */
export function installGlobalScope(kit: GuestKit): void {
  const { illegalConstructor, require } = kit.need('argument-errors')
  const INTERNAL = Symbol()

  class Navigator {
    constructor(internal?: symbol) {
      if (internal !== INTERNAL) throw illegalConstructor()
    }
    get userAgent() {
      return 'Nexus'
    }
  }
  function reportError(...args: [error?: unknown]) {
    require(args, 'error')
    kit.report(args[0])
  }
  Object.defineProperty(reportError, 'length', { value: 1, configurable: true })
  kit.expose({ Navigator, navigator: new Navigator(INTERNAL), reportError, self: globalThis })
}
