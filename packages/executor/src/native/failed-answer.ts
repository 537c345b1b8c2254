import { describeThrown } from '@nexus/diagnostics'
import type { NativeFailure } from '../guest/native.js'

/** Node 20 gives one error a name that WebCrypto does not have. */
const RIGHT_NAMES: Readonly<Record<string, string>> = {
  InvalidAccessException: 'InvalidAccessError',
}

/** What the guest makes an error of: `!` and JSON. */
export function failedAnswer(error: unknown): string {
  const { name, message, code } = describeThrown(error)
  const isDOMException = error instanceof DOMException
  const failure: NativeFailure = {
    name: RIGHT_NAMES[name] ?? name,
    message,
    ...(isDOMException ? { isDOMException } : code !== undefined && { code }),
  }
  return `!${JSON.stringify(failure)}`
}
