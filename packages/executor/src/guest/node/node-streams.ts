import type { GuestKit } from '../platform/kit.js'

/**
 * Lets Node's streams come by the web streams when a handler turns one into the other (`web-adapters.ts` in @nexus/compile-cache),
 * so that the others need no web streams.
 */
export function installNodeStreams(kit: GuestKit): undefined {
  const value = () => kit.need('streams')
  Object.defineProperty(globalThis, Symbol.for('nexus_web_streams'), { value })
  return undefined
}
