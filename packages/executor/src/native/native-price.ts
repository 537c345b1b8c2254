/**
 * One unit of price is what one core of a common server (2023, 2.5 GHz) does in a microsecond. A slower machine does less
 * in the time of a call than the price says: there, work that is accepted ends that much later.
 */
export const UNITS_PER_MS = 1000

/** What every answer costs: the copies, and on the thread pool the way there and back. */
export const BASE_UNITS = 2

/** Copying and reading bytes: one of them, in units. */
const COPY_UNITS_PER_BYTE = 1 / 2000

/** What it costs to take bytes in or give them out. */
export function copyUnits(bytes: number): number {
  return BASE_UNITS + bytes * COPY_UNITS_PER_BYTE
}
