import { checkPrime, checkPrimeSync } from 'node:crypto'
import { promisify } from 'node:util'
import type { NativeService } from '../../native-service.js'
import { powerUnits } from '../operation-units.js'
import { bytesOf, countOf, optionsOf } from './node-arguments.js'

/** Rounds of the test that OpenSSL makes where none are asked for. */
const DEFAULT_ROUNDS = 128

const checkLater = promisify(checkPrime) as unknown as typeof checkPrimeSync

/** `({ checks }, candidate)`: whether it is a prime, as far as so many rounds tell: `true` or `false`. */
const isPrime: NativeService = ([json, data]) => {
  const checks = countOf(optionsOf(json).checks)
  const candidate = Uint8Array.from(bytesOf(data))
  const rounds = Math.max(checks, DEFAULT_ROUNDS)
  return {
    what: 'crypto.checkPrime',
    units: 100 + rounds * powerUnits(candidate.length * 8),
    outputBytes: 8,
    run: () => String(checkPrimeSync(candidate, { checks })),
    runLater: async () => String(await checkLater(candidate, { checks })),
  }
}

export const PRIME_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.isPrime', isPrime],
]
