import type { GuestPtr, QuickJSInstance } from '@nexus/instance-pool'
import { HostAnswer } from '../guest/protocol.js'
import { failedAnswer } from './failed-answer.js'
import { NativeLimitError, type NativeObjects } from './native-objects.js'
import { BASE_UNITS, UNITS_PER_MS } from './native-price.js'
import type { NativeAnswer, NativeArgument, NativeWork } from './native-service.js'
import { NATIVE_SERVICES } from './native-services.js'
import type { ThreadPoolGate } from './thread-pool-slots.js'

const MAX_NAME_BYTES = 64
const MAX_ARGUMENTS = 8
/** What takes no longer may always be done: the deadline ends the guest soon enough after it, as a timeout. */
const SMALL_MS = 5

/** The guest that asks. */
export interface NativeCaller {
  /** A limit refused something: an error of the guest may be about that. */
  refused(answer: number): void
  /** The answer to a question of {@link NativeCalls.later}. */
  settle(id: number, answer: NativeAnswer): void
}

export interface NativeCallsParts {
  instance: QuickJSInstance
  objects: NativeObjects
  gate: ThreadPoolGate
  memoryLimitBytes: number
  caller: NativeCaller
}

/**
 * What one call, or one module that loads, asks the host to do. The price is checked against the time that is left before
 * any work is done.
 */
export class NativeCalls {
  readonly #parts: NativeCallsParts
  /** Questions that are not answered, what they hold in bytes, and what they cost. */
  #open = 0
  #openBytes = 0
  #openUnits = 0
  /** A call has one piece of work on the thread pool at a time: what it costs is the time it takes. */
  #lane: Promise<void> = Promise.resolve()
  #over = false

  constructor(parts: NativeCallsParts) {
    this.#parts = parts
  }

  /** How many answers are still to come. */
  get open(): number {
    return this.#open
  }

  /** The guest is gone: what has not started is dropped, and no answer reaches it. */
  end(): void {
    this.#over = true
  }

  /** Serves `(Native, name, ...arguments)`; answers as a host call does. */
  now(args: readonly GuestPtr[]): number {
    return this.#answering(() => {
      const { work } = this.#prepare(args, 1)
      this.#checkPrice(work)
      // What takes the thread pool is a promise for the guest.
      if (!work.run) return HostAnswer.Malformed
      return this.#put(checked(work.run(), work))
    })
  }

  /** Serves `(NativeLater, id, name, ...arguments)`. */
  later(args: readonly GuestPtr[]): number {
    const id = this.#parts.instance.readNumber(args[1] ?? 0)
    if (!Number.isSafeInteger(id)) return HostAnswer.Malformed
    return this.#answering(() => {
      const { work, bytes } = this.#prepare(args, 2)
      this.#checkPrice(work)
      this.#start(id, work, bytes)
      return HostAnswer.Ok
    })
  }

  #answering(serve: () => number): number {
    try {
      return serve()
    } catch (error) {
      if (error instanceof NativeLimitError) this.#parts.caller.refused(HostAnswer.Limit)
      return this.#put(failedAnswer(error))
    }
  }

  #put(answer: NativeAnswer): number {
    const { instance } = this.#parts
    return typeof answer === 'string' ? instance.newString(answer) : instance.newBytes(answer)
  }

  #prepare(args: readonly GuestPtr[], from: number): { work: NativeWork; bytes: number } {
    const { instance, objects, memoryLimitBytes } = this.#parts
    const name = instance.readString(args[from] ?? 0, MAX_NAME_BYTES)
    const service = name === undefined ? undefined : NATIVE_SERVICES.get(name)
    if (!service) throw new TypeError('The host has no such service')
    const { values, bytes } = this.#read(args.slice(from + 1))
    return { work: service(values, { objects, memoryLimitBytes }), bytes }
  }

  get #freeBytes(): number {
    const { memoryLimitBytes, instance } = this.#parts
    return Math.max(0, memoryLimitBytes - instance.allocatedBytes - this.#openBytes)
  }

  #read(args: readonly GuestPtr[]): { values: NativeArgument[]; bytes: number } {
    if (args.length > MAX_ARGUMENTS) throw new TypeError('There are too many arguments')
    const { instance, memoryLimitBytes } = this.#parts
    // What waits on the host is memory that the guest takes, wherever it is.
    let room = memoryLimitBytes - this.#openBytes
    const values = args.map((ptr): NativeArgument => {
      const number = instance.readNumber(ptr)
      if (!Number.isNaN(number)) return number
      if (instance.isString(ptr)) {
        const text = instance.readString(ptr, room)
        if (text === undefined) throw tooLarge()
        room -= text.length
        return text
      }
      const bytes = instance.readBytes(ptr, room)
      if (bytes === null) throw tooLarge()
      room -= bytes?.length ?? 0
      return bytes
    })
    return { values, bytes: memoryLimitBytes - this.#openBytes - room }
  }

  #checkPrice({ what, units, outputBytes, workBytes = 0 }: NativeWork): void {
    const leftMs = Math.max(SMALL_MS, this.#parts.instance.deadlineAt - performance.now())
    const neededMs = (this.#openUnits + units) / UNITS_PER_MS
    // NaN is over any limit.
    if (!(neededMs <= leftMs)) {
      throw new NativeLimitError(
        `${what} would take about ${shownMs(neededMs)} ms, and ${shownMs(leftMs)} ms of the call are left`,
      )
    }
    const neededBytes = outputBytes + workBytes
    if (!(neededBytes <= this.#freeBytes)) {
      throw new NativeLimitError(
        `${what} would take ${neededBytes} bytes, and ${this.#freeBytes} bytes of the call's memory are left`,
      )
    }
  }

  #start(id: number, work: NativeWork, bytes: number): void {
    const { gate } = this.#parts
    if (work.runLater && !gate.isOpen) {
      throw new NativeLimitError(
        `${work.what} needs the thread pool of the process, which has one thread (UV_THREADPOOL_SIZE): the last one is not for guests`,
      )
    }
    const units = work.units + BASE_UNITS
    const held = bytes + work.outputBytes + (work.workBytes ?? 0)
    this.#open++
    this.#openUnits += units
    this.#openBytes += held
    const finish = (answer: NativeAnswer) => {
      this.#open--
      this.#openUnits -= units
      this.#openBytes -= held
      if (!this.#over) this.#parts.caller.settle(id, answer)
    }
    const run = async () => {
      const answer = await (work.runLater ?? work.run)!()
      return checked(answer, work)
    }
    const settle = () => run().then(finish, (error) => finish(failedAnswer(error)))
    if (!work.runLater) void settle()
    else this.#lane = this.#lane.then(() => gate.enter(settle, () => !this.#over))
  }
}

/** A service that answers with more than it said is at fault, and the guest must not pay for that. */
function checked(answer: NativeAnswer, { what, outputBytes }: NativeWork): NativeAnswer {
  const bytes = typeof answer === 'string' ? Buffer.byteLength(answer) : answer.length
  if (bytes > outputBytes) {
    throw new Error(`${what}: the answer has ${bytes} bytes, announced were ${outputBytes}`)
  }
  return typeof answer === 'string' ? `=${answer}` : answer
}

function tooLarge(): NativeLimitError {
  return new NativeLimitError('The arguments hold more than the memory limit of the call')
}

function shownMs(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : Math.round(ms).toString()
}
