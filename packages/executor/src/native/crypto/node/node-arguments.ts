import { KeyObject } from 'node:crypto'
import type { NativeArgument, NativeContext } from '../../native-service.js'

/** More than any option of `node:crypto` or any key in JSON. */
const MAX_JSON_LENGTH = 256 * 1024

/** Options that a guest's side of `node:crypto` wrote as JSON; every value may be of any type. */
export type NodeOptions = Readonly<Record<string, unknown>>

/** @throws TypeError for what is no JSON of an object */
export function optionsOf(argument: NativeArgument): NodeOptions {
  if (typeof argument !== 'string' || argument.length > MAX_JSON_LENGTH) {
    throw new TypeError('The options are too long')
  }
  const value: unknown = JSON.parse(argument)
  if (typeof value !== 'object' || value === null) throw new TypeError('The options are missing')
  return value as NodeOptions
}

/** @throws TypeError for anything but bytes */
export function bytesOf(argument: NativeArgument): Uint8Array {
  if (argument instanceof Uint8Array) return argument
  throw new TypeError('Expected bytes')
}

/** A text that names something; no longer than names are. */
export function nameOf(value: unknown): string {
  if (typeof value !== 'string' || value.length > 64) throw new TypeError('Expected a name')
  return value
}

/** A whole number that is not negative; anything else is not asked for by the guest's side. */
export function countOf(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError('Expected a count')
  return value as number
}

/** @throws Error for what is no key of this guest */
export function keyOf(id: unknown, { objects }: NativeContext): KeyObject {
  const key = objects.get(id)
  if (key instanceof KeyObject) return key
  throw new TypeError('The key is not one of this handler')
}
