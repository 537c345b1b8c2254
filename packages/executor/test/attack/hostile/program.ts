import type { CallOptions, ErrorCode, ExecutionResult, HandlerContext } from '@nexus/executor'
import { FINGERPRINT } from './fingerprint.js'

/** How a call may end: well, or with one of the codes of an error. */
export type Ending = 'success' | ErrorCode

/** A handler written to do harm, and how its call must end. */
export interface HostileProgram {
  readonly name: string
  /** An expression of the handler function; the same module can also be asked for a fingerprint. */
  readonly handler?: string
  /** A whole module instead, where the module is the attack. */
  readonly module?: string
  readonly expect: Ending | readonly Ending[]
  /** The exact result of a call that succeeds. */
  readonly value?: unknown
  /** What else must hold of the outcome. */
  readonly verify?: (result: ExecutionResult) => void
  readonly context?: Partial<HandlerContext>
  readonly limits?: CallOptions
  /** Each call loads its module again: what loading takes is the attack. */
  readonly isFresh?: true
  /** It spins inside the engine where no interrupt reaches it, or none in time: only a thread can be stopped. */
  readonly needsHardKill?: true
}

export const FINGERPRINT_EVENT = 'fingerprint'

let fresh = 0

export function sourceOf({ name, handler, module, isFresh }: HostileProgram): string {
  if (module !== undefined) return isFresh ? `${module}\n// ${++fresh}` : module
  if (handler === undefined) throw new Error(`${name} has neither a handler nor a module`)
  return `${FINGERPRINT}
const attack = ${handler}
export default (event, ctx) => event === '${FINGERPRINT_EVENT}' ? fingerprint() : attack(event, ctx)`
}

export function endingsOf({ expect }: HostileProgram): readonly Ending[] {
  return typeof expect === 'string' ? [expect] : expect
}
