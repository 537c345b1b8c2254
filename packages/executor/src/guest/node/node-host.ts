import type { GuestKit, PartExports } from '../platform/kit.js'

/**
 * Puts on the global object what Node's modules need of the sandbox (`platform-host.ts` in @nexus/compile-cache), under a
 * symbol that their code names.
 */
export function installNodeHost(_kit: GuestKit): PartExports['node'] {
  const host = { __proto__: null, env: {}, turnEnded: undefined } as unknown as PartExports['node']
  Object.defineProperty(globalThis, Symbol.for('nexus_platform'), { value: host })
  return host
}
