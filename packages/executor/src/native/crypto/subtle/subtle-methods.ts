import { webcrypto } from 'node:crypto'

/** The methods that `crypto.subtle` has in the Node that runs the program; `supports` is one of its class. */
export const SUBTLE_METHODS: readonly string[] = [
  ...Object.getOwnPropertyNames(Object.getPrototypeOf(webcrypto.subtle)),
  ...Object.getOwnPropertyNames(webcrypto.subtle.constructor),
]
