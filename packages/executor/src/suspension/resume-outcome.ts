import { guestError } from '../host/guest-error.js'
import { hostCodec } from '../values/host-codec.js'

/** What a wait is made to throw: an error, or what one is made of. */
export type ThrownByHost = Error | string | { name?: string; message: string; code?: string }

/** An answer to a wait of the guest, as its prelude takes it. */
export interface SettledWait {
  readonly id: number
  readonly encoded: string
  readonly failed: boolean
}

/**
 * A wait that goes on with a value.
 *
 * @throws TypeError naming what of the value cannot cross
 */
export function fulfilled(id: number, value: unknown): SettledWait {
  return { id, encoded: hostCodec.encode(value, 'value'), failed: false }
}

/** A wait that goes on with a throw: name, message and code, without the stack of the host. */
export function rejected(id: number, thrown: ThrownByHost): SettledWait {
  const told = guestError(thrown instanceof Error ? thrown : asError(thrown))
  return { id, encoded: hostCodec.encode(told, 'error'), failed: true }
}

function asError(thrown: Exclude<ThrownByHost, Error>): Error {
  const facts = typeof thrown === 'string' ? { message: thrown } : thrown
  const { name, message, code } = facts as { name?: string; message: string; code?: string }
  const error = new Error(String(message))
  if (name !== undefined) error.name = String(name)
  return code === undefined ? error : Object.assign(error, { code: String(code) })
}
