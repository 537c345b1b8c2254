import { randomFillSync } from 'node:crypto'
import { HostAnswer } from '../guest/protocol.js'
import type { CommandCall } from './command-call.js'
import { CommandExit } from './command-end.js'
import { GuestMemory } from './guest-memory.js'
import {
  Errno,
  FileType,
  NEXUS,
  PREVIEW1,
  PREVIEW1_SIGNATURES,
  type Preview1Name,
} from './preview1.js'

const STDIN = 0
const STDERR = 2
const RIGHT_FD_READ = 1n << 1n
const RIGHT_FD_WRITE = 1n << 6n
const IOVEC_BYTES = 8
const FDSTAT_BYTES = 24
const FILESTAT_BYTES = 64

const CLOCK_REALTIME = 0
const CLOCK_MONOTONIC = 1
const CLOCK_THREAD_CPU = 3
const CLOCK_RESOLUTION_NS = 1000n
const CLOCK_IS_ABSOLUTE = 1

const SUBSCRIPTION_BYTES = 48
const EVENT_BYTES = 32
const EVENT_CLOCK = 0

type Answer = number | undefined
type Preview1Functions = Partial<Record<Preview1Name, (...args: never[]) => Answer>>

/**
 * The functions that commands import. One host serves all commands of a thread: a command runs from its
 * start to its end without a pause. Each argument is the guest's and is checked here.
 */
export class Preview1Host {
  readonly imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly #memory = new GuestMemory()
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4))
  /** Which of the descriptors 0, 1 and 2 the command has closed, as bits. */
  #closed = 0
  #call!: CommandCall

  constructor() {
    const functions: Preview1Functions = {
      ...this.#processFunctions(),
      ...this.#timeFunctions(),
      ...this.#streamFunctions(),
    }
    const absent = () => Errno.Badf
    this.imports = {
      [PREVIEW1]: Object.fromEntries(
        Object.keys(PREVIEW1_SIGNATURES).map((name) => [
          name,
          functions[name as Preview1Name] ?? absent,
        ]),
      ),
      [NEXUS]: { emit: this.#emit },
    }
  }

  /** What is asked from now on is asked by the command of this call. */
  begin(call: CommandCall, memory: WebAssembly.Memory): void {
    this.#call = call
    this.#closed = 0
    this.#memory.bind(memory)
  }

  readonly #emit = (
    type: number,
    typeBytes: number,
    data: number,
    dataBytes: number,
    attributes: number,
    attributesBytes: number,
  ): number => {
    this.#call.checkDeadline()
    const lengths = [typeBytes >>> 0, dataBytes >>> 0, attributesBytes >>> 0] as const
    const texts = [type, data, attributes].map((address, i) =>
      this.#memory.has(address, lengths[i]!) ? this.#memory.slice(address, lengths[i]!) : undefined,
    )
    const [typeText, dataText, attributesText] = texts
    if (!typeText || !dataText || !attributesText) return HostAnswer.Malformed
    return this.#call.emit(typeText, dataText, attributesText)
  }

  #processFunctions(): Preview1Functions {
    return {
      args_sizes_get: (count: number, bytes: number) => this.#listSizes('args', count, bytes),
      args_get: (pointers: number, buffer: number) => this.#list('args', pointers, buffer),
      environ_sizes_get: (count: number, bytes: number) => this.#listSizes('environ', count, bytes),
      environ_get: (pointers: number, buffer: number) => this.#list('environ', pointers, buffer),
      proc_exit: (status: number) => {
        throw new CommandExit(status >>> 0)
      },
      proc_raise: () => Errno.Notsup,
      sched_yield: () => {
        this.#call.checkDeadline()
        return Errno.Success
      },
      random_get: (address: number, length: number) => {
        this.#call.checkDeadline()
        if (!this.#memory.has(address, length >>> 0)) return Errno.Fault
        randomFillSync(this.#memory.slice(address, length >>> 0))
        return Errno.Success
      },
      sock_accept: () => Errno.Notsup,
      sock_recv: (fd: number) => this.#notASocket(fd),
      sock_send: (fd: number) => this.#notASocket(fd),
      sock_shutdown: (fd: number) => this.#notASocket(fd),
    }
  }

  #listSizes(list: 'args' | 'environ', count: number, bytes: number): number {
    if (!this.#memory.has(count, 4) || !this.#memory.has(bytes, 4)) return Errno.Fault
    const entries = this.#call[list]
    this.#memory.setU32(count, entries.length)
    this.#memory.setU32(
      bytes,
      entries.reduce((sum, entry) => sum + entry.length, 0),
    )
    return Errno.Success
  }

  #list(list: 'args' | 'environ', pointers: number, buffer: number): number {
    const entries = this.#call[list]
    const bytes = entries.reduce((sum, entry) => sum + entry.length, 0)
    if (!this.#memory.has(pointers, entries.length * 4) || !this.#memory.has(buffer, bytes)) {
      return Errno.Fault
    }
    let at = buffer
    entries.forEach((entry, i) => {
      this.#memory.setU32(pointers + i * 4, at)
      this.#memory.write(at, entry)
      at += entry.length
    })
    return Errno.Success
  }

  #timeFunctions(): Preview1Functions {
    return {
      clock_res_get: (clock: number, result: number) => {
        if (clock >>> 0 > CLOCK_THREAD_CPU) return Errno.Inval
        if (!this.#memory.has(result, 8)) return Errno.Fault
        this.#memory.setU64(result, CLOCK_RESOLUTION_NS)
        return Errno.Success
      },
      clock_time_get: (clock: number, _precision: bigint, result: number) => {
        this.#call.checkDeadline()
        const now = this.#now(clock)
        if (now === undefined) return Errno.Inval
        if (!this.#memory.has(result, 8)) return Errno.Fault
        this.#memory.setU64(result, now)
        return Errno.Success
      },
      poll_oneoff: (subscriptions: number, events: number, count: number, result: number) =>
        this.#poll(subscriptions, events, count >>> 0, result),
    }
  }

  /** Nanoseconds; the clocks of CPU time start with the call. */
  #now(clock: number): bigint | undefined {
    if (clock === CLOCK_REALTIME) return nanoseconds(performance.timeOrigin + performance.now())
    if (clock === CLOCK_MONOTONIC) return process.hrtime.bigint()
    if (clock >>> 0 > CLOCK_THREAD_CPU) return undefined
    return nanoseconds(performance.now() - this.#call.startedAt)
  }

  /** Streams are always ready; without one, this sleeps until the first of the clocks, or the deadline. */
  #poll(subscriptions: number, events: number, count: number, result: number): number {
    if (count === 0) return Errno.Inval
    const memory = this.#memory
    if (
      !memory.has(subscriptions, count * SUBSCRIPTION_BYTES) ||
      !memory.has(events, count * EVENT_BYTES) ||
      !memory.has(result, 4)
    ) {
      return Errno.Fault
    }
    // Events may be written over the subscriptions: read them all first.
    const asked = Buffer.from(memory.slice(subscriptions, count * SUBSCRIPTION_BYTES))
    const waits = Array.from({ length: count }, (_, i) =>
      this.#waitMs(asked, i * SUBSCRIPTION_BYTES),
    )
    const shortest = waits.reduce<number>((least, wait) => Math.min(least, wait ?? 0), Infinity)
    this.#sleep(shortest)
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
  }

  /** How long this subscription waits: 0 for a stream, `undefined` for a clock that does not exist. */
  #waitMs(asked: Buffer, at: number): number | undefined {
    if (asked[at + 8] !== EVENT_CLOCK) return 0
    const clock = asked.readUInt32LE(at + 16)
    const timeout = asked.readBigUInt64LE(at + 24)
    const isAbsolute = (asked.readUInt16LE(at + 40) & CLOCK_IS_ABSOLUTE) !== 0
    const now = this.#now(clock)
    if (now === undefined) return undefined
    return Math.max(0, Number(isAbsolute ? timeout - now : timeout) / 1e6)
  }

  #sleep(ms: number): void {
    const { deadlineAt } = this.#call
    const left = deadlineAt - performance.now()
    if (ms > 0) Atomics.wait(this.#sleeper, 0, 0, Math.max(0, Math.min(ms, left + 1)))
    this.#call.checkDeadline()
  }

  #streamFunctions(): Preview1Functions {
    return {
      fd_read: (fd: number, iovs: number, count: number, result: number) =>
        fd === STDIN && this.#isStream(fd)
          ? this.#readStdin(iovs, count >>> 0, result)
          : this.#refused(fd),
      fd_write: (fd: number, iovs: number, count: number, result: number) =>
        fd !== STDIN && this.#isStream(fd)
          ? this.#writeStream(fd, iovs, count >>> 0, result)
          : this.#refused(fd),
      fd_close: (fd: number) => {
        if (!this.#isStream(fd)) return Errno.Badf
        this.#closed |= 1 << fd
        return Errno.Success
      },
      fd_fdstat_get: (fd: number, result: number) => {
        if (!this.#isStream(fd)) return Errno.Badf
        if (!this.#memory.has(result, FDSTAT_BYTES)) return Errno.Fault
        this.#memory.slice(result, FDSTAT_BYTES).fill(0)
        this.#memory.setU8(result, FileType.Unknown)
        this.#memory.setU64(result + 8, fd === STDIN ? RIGHT_FD_READ : RIGHT_FD_WRITE)
        return Errno.Success
      },
      fd_filestat_get: (fd: number, result: number) => {
        if (!this.#isStream(fd)) return Errno.Badf
        if (!this.#memory.has(result, FILESTAT_BYTES)) return Errno.Fault
        this.#memory.slice(result, FILESTAT_BYTES).fill(0)
        return Errno.Success
      },
      fd_seek: (fd: number) => (this.#isStream(fd) ? Errno.Spipe : Errno.Badf),
      fd_tell: (fd: number) => (this.#isStream(fd) ? Errno.Spipe : Errno.Badf),
      fd_pread: (fd: number) => (this.#isStream(fd) ? Errno.Spipe : Errno.Badf),
      fd_pwrite: (fd: number) => (this.#isStream(fd) ? Errno.Spipe : Errno.Badf),
      fd_fdstat_set_flags: (fd: number) => (this.#isStream(fd) ? Errno.Success : Errno.Badf),
      fd_sync: (fd: number) => (this.#isStream(fd) ? Errno.Inval : Errno.Badf),
      fd_datasync: (fd: number) => (this.#isStream(fd) ? Errno.Inval : Errno.Badf),
    }
  }

  #isStream(fd: number): boolean {
    return fd >= STDIN && fd <= STDERR && (this.#closed & (1 << fd)) === 0
  }

  #refused(fd: number): number {
    return this.#isStream(fd) ? Errno.Notcapable : Errno.Badf
  }

  #notASocket(fd: number): number {
    return this.#isStream(fd) ? Errno.Notsock : Errno.Badf
  }

  #readStdin(iovs: number, count: number, result: number): number {
    this.#call.checkDeadline()
    if (!this.#areRanges(iovs, count) || !this.#memory.has(result, 4)) return Errno.Fault
    let read = 0
    for (let i = 0; i < count; i++) {
      const [address, length] = this.#range(iovs, i)
      const bytes = this.#call.readStdin(length)
      this.#memory.write(address, bytes)
      read += bytes.length
      if (bytes.length < length) break
    }
    this.#memory.setU32(result, read)
    return Errno.Success
  }

  #writeStream(fd: number, iovs: number, count: number, result: number): number {
    this.#call.checkDeadline()
    if (!this.#areRanges(iovs, count) || !this.#memory.has(result, 4)) return Errno.Fault
    let written = 0
    for (let i = 0; i < count; i++) {
      const [address, length] = this.#range(iovs, i)
      const bytes = this.#memory.slice(address, length)
      if (fd === STDERR) this.#call.log.write(bytes)
      else this.#call.writeStdout(bytes)
      written += length
    }
    this.#memory.setU32(result, written)
    return Errno.Success
  }

  /** Whether this list of ranges, and each range of it, is in the memory. */
  #areRanges(iovs: number, count: number): boolean {
    if (!this.#memory.has(iovs, count * IOVEC_BYTES)) return false
    for (let i = 0; i < count; i++) {
      if (!this.#memory.has(...this.#range(iovs, i))) return false
    }
    return true
  }

  #range(iovs: number, index: number): [address: number, length: number] {
    const at = (iovs >>> 0) + index * IOVEC_BYTES
    return [this.#memory.u32(at), this.#memory.u32(at + 4)]
  }
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1e6))
}
