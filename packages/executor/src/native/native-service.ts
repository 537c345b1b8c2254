import type { NativeObjects } from './native-objects.js'

/** What a guest handed over: bytes are copies of its own. */
export type NativeArgument = string | number | Uint8Array | undefined

/** What a guest gets: text as a string, bytes as an ArrayBuffer. */
export type NativeAnswer = string | Uint8Array

/** Work that a guest asks for, and what it costs; nothing of it has been done yet. */
export interface NativeWork {
  /** Names the work in the error of a guest that asks for too much, such as `crypto.subtle.deriveBits (PBKDF2)`. */
  readonly what: string
  /** The most it costs: see `native-price.ts`. */
  readonly units: number
  /** The most bytes it answers with. */
  readonly outputBytes: number
  /** The most memory it takes meanwhile, in addition to its arguments and its answer. */
  readonly workBytes?: number
  /** Does it on this thread: where it is missing, a guest can only wait for a promise. */
  readonly run?: () => NativeAnswer
  /** Does it on the thread pool of the process, for a guest that waits for a promise. */
  readonly runLater?: () => Promise<NativeAnswer>
}

/** What a service may use of the call that asks. */
export interface NativeContext {
  /** What stays outside the guest, such as keys: the guest knows an id. */
  readonly objects: NativeObjects
  /** The memory limit of the call, in bytes: what the host keeps for it may not be more. */
  readonly memoryLimitBytes: number
}

/**
 * Something that the host does for a guest, on the sandbox's thread and within the time of the call.
 *
 * To add one: a file in a folder of `native/` that exports a function of this type; a line in `native-services.ts` with
 * its name; and the guest's side, which calls `native.now(name, …)` for an answer at once or `native.later(name, …)`
 * for a promise (`guest/native.ts`).
 *
 * A service checks its arguments as if an enemy chose them: their types are unknown, and any text may be in a string. It
 * throws for what is wrong: a TypeError, a RangeError, a DOMException or an error with a `code` reach the guest as
 * such. It does no work that grows with the arguments before it has told the price. Sizes are bounded before it is
 * called: all arguments together by the memory limit of the call.
 */
export type NativeService = (args: readonly NativeArgument[], context: NativeContext) => NativeWork
