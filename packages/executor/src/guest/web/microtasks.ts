import type { GuestKit } from '../platform/kit.js'

/** Gives `queueMicrotask` the error of a wrong argument that Node's has. */
export function installMicrotasks(kit: GuestKit): void {
  const { wrongType } = kit.need('argument-errors')
  const { queueMicrotask: queue } = globalThis
  kit.expose({
    queueMicrotask: (callback: () => void) => {
      if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback)
      queue(callback)
    },
  })
}
