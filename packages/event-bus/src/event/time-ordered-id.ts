import { randomUUID } from 'node:crypto'

const MAX_COUNT = 0xfff

let lastMs = 0
let count = 0
/** What the ids of `lastMs` begin with. */
let prefix = ''

/**
 * A UUID of version 7 (RFC 9562), greater than those this process made before: 48 bits of milliseconds, a
 * counter of 12 bits, 62 random bits. A random UUID would touch another page of the index of ids for every event.
 *
 * The `uuid` library's takes 2 µs, which is a tenth of a publish; this takes a quarter of one.
 */
export function timeOrderedId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) begin(nowMs)
  else if (count < MAX_COUNT) count += 1
  // More than 4,096 in one millisecond, or a clock that went back: the time runs ahead.
  else begin(lastMs + 1)
  return prefix + count.toString(16).padStart(3, '0') + randomUUID().slice(18)
}

function begin(ms: number): void {
  lastMs = ms
  count = 0
  const time = ms.toString(16).padStart(12, '0')
  prefix = `${time.slice(0, 8)}-${time.slice(8)}-7`
}
