import type { HostContext, Preview1Functions } from './host-context.js'
import { Errno } from './signatures.js'

const REALTIME = 0
const MONOTONIC = 1
const THREAD_CPU = 3
const RESOLUTION_NS = 1000n
const IS_ABSOLUTE = 1

const SUBSCRIPTION_BYTES = 48
const EVENT_BYTES = 32
const EVENT_CLOCK = 0

/** Clocks, and sleeping. */
export function clockFunctions(context: HostContext): Preview1Functions {
  const { memory } = context
  const sleeper = new Int32Array(new SharedArrayBuffer(4))

  /** Nanoseconds; the clocks of CPU time start with the call. */
  const now = (clock: number): bigint | undefined => {
    if (clock === REALTIME) return nanoseconds(performance.timeOrigin + performance.now())
    if (clock === MONOTONIC) return process.hrtime.bigint()
    if (clock >>> 0 > THREAD_CPU) return undefined
    return nanoseconds(performance.now() - context.call.startedAt)
  }

  const sleep = (ms: number) => {
    const left = context.call.deadlineAt - performance.now()
    if (ms > 0) Atomics.wait(sleeper, 0, 0, Math.max(0, Math.min(ms, left + 1)))
    context.call.checkDeadline()
  }

  /** What a subscription waits for: 0 for a stream, `undefined` for a clock that does not exist. */
  const waitMs = (asked: Buffer, at: number): number | undefined => {
    if (asked[at + 8] !== EVENT_CLOCK) return 0
    const current = now(asked.readUInt32LE(at + 16))
    if (current === undefined) return undefined
    const timeout = asked.readBigUInt64LE(at + 24)
    const isAbsolute = (asked.readUInt16LE(at + 40) & IS_ABSOLUTE) !== 0
    return Math.max(0, Number(isAbsolute ? timeout - current : timeout) / 1e6)
  }

  return {
    clock_res_get: (clock: number, result: number) => {
      if (clock >>> 0 > THREAD_CPU) return Errno.Inval
      if (!memory.has(result, 8)) return Errno.Fault
      memory.setU64(result, RESOLUTION_NS)
      return Errno.Success
    },
    clock_time_get: (clock: number, _precision: bigint, result: number) => {
      context.call.checkDeadline()
      const time = now(clock)
      if (time === undefined) return Errno.Inval
      if (!memory.has(result, 8)) return Errno.Fault
      memory.setU64(result, time)
      return Errno.Success
    },
    // Streams and files are always ready; without one this sleeps until the first clock, or the deadline.
    poll_oneoff: (subscriptions: number, events: number, given: number, result: number) => {
      const count = given >>> 0
      if (count === 0) return Errno.Inval
      if (
        !memory.has(subscriptions, count * SUBSCRIPTION_BYTES) ||
        !memory.has(events, count * EVENT_BYTES) ||
        !memory.has(result, 4)
      ) {
        return Errno.Fault
      }
      // Events may lie over the subscriptions.
      const asked = Buffer.from(memory.slice(subscriptions, count * SUBSCRIPTION_BYTES))
      const waits = Array.from({ length: count }, (_, i) => waitMs(asked, i * SUBSCRIPTION_BYTES))
      const shortest = waits.reduce<number>((least, wait) => Math.min(least, wait ?? 0), Infinity)
      sleep(shortest)
      let written = 0
      waits.forEach((wait, i) => {
        if (wait !== undefined && wait > shortest) return
        const at = i * SUBSCRIPTION_BYTES
        const event = memory.slice(events + written++ * EVENT_BYTES, EVENT_BYTES).fill(0)
        asked.copy(event, 0, at, at + 8)
        event.writeUInt16LE(wait === undefined ? Errno.Inval : Errno.Success, 8)
        event[10] = asked[at + 8]!
      })
      memory.setU32(result, written)
      return Errno.Success
    },
  }
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1e6))
}
