import { randomUUID } from 'node:crypto'

const MAX_COUNT = 0xfff

let lastMs = 0
let count = 0

/**
 * A UUID of version 7 (RFC 9562), greater than those this process made before: 48 bits of milliseconds, a
 * counter of 12 bits, 62 random bits. A random UUID would touch another page of the index of ids for every event.
 *
 * The `uuid` library's takes 2 µs, which is a tenth of a publish; this takes a quarter of one.
 */
export function timeOrderedId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs
    count = 0
  } else if (count < MAX_COUNT) {
    count += 1
  } else {
    // More than 4,096 in one millisecond, or a clock that went back: the time runs ahead.
    lastMs += 1
    count = 0
  }
  const time = lastMs.toString(16).padStart(12, '0')
  const counter = count.toString(16).padStart(3, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}${randomUUID().slice(18)}`
}
