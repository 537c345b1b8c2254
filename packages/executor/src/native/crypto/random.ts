import { randomBytes, randomUUID } from 'node:crypto'
import { copyUnits } from '../native-price.js'
import type { NativeService } from '../native-service.js'

const UUID_LENGTH = 36
/** Drawing a random byte, in units. */
const UNITS_PER_BYTE = 1 / 500

/** `(count)`: random bytes. */
export const drawBytes: NativeService = ([count]) => {
  const bytes = typeof count === 'number' ? count : Number.NaN
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new TypeError('Expected how many random bytes to draw')
  }
  return {
    what: `Drawing ${bytes} random bytes`,
    units: copyUnits(bytes) + bytes * UNITS_PER_BYTE,
    outputBytes: bytes,
    run: () => randomBytes(bytes),
  }
}

/** `()`: a random UUID, version 4. */
export const drawUuid: NativeService = () => ({
  what: 'Drawing a UUID',
  units: copyUnits(UUID_LENGTH),
  outputBytes: UUID_LENGTH,
  run: () => randomUUID(),
})
