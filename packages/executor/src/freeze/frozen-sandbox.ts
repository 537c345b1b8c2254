import type { PartName } from '../guest/platform/part.js'
import type { WAIT_KINDS } from '../guest/protocol.js'
import type { KeptObject } from '../native/native-objects.js'

/** The base image that a frozen sandbox differs from, and how to make it. */
export interface FrozenBase {
  /** See `QuickJSTemplate.identity`. */
  readonly identity: string
  /** The engine and its extensions, for people. */
  readonly programs: readonly string[]
  readonly heapBytes: number
  readonly maxStackBytes: number
  /** Whether the engine has its native extensions. */
  readonly native: boolean
}

/** A sandbox that stands still between two stretches of its guest's code. */
export interface FrozenSandbox {
  readonly base: FrozenBase
  readonly memoryBytes: number
  /** What differs from the base image, compressed. */
  readonly memory: Uint8Array
  /** The parts of the platform that are installed in it. */
  readonly parts: readonly PartName[]
  /** What its monotonic clock said, in milliseconds. */
  readonly elapsedMs: number
  /** What the host keeps for it: the objects, and the last id that was given. */
  readonly objects: { readonly lastId: number; readonly kept: readonly KeptObject[] }
}

/** What a frozen call waits for. */
export interface Wait {
  readonly id: number
  readonly kind: (typeof WAIT_KINDS)[number]
  /** Of an event, the pattern of its type. */
  readonly name: string
  /** `''` for undefined. */
  readonly dataJson: string
  /** In milliseconds since the epoch. */
  readonly dueAt: number | undefined
  /** When the handler asked, in milliseconds since the epoch: of an event only. */
  readonly since?: number | undefined
  /** Which of the call's suspensions of this name it is, from 1: of `suspend` only. */
  readonly nth?: number | undefined
}

/** A timer that stands still while its call does. */
export interface PausedTimer {
  readonly id: number
  readonly leftMs: number
  /** Of one that repeats. */
  readonly everyMs: number | undefined
}

/** A call that stands still. Its memory is what differs from the image of its handler. */
export interface FrozenCall {
  readonly sandbox: FrozenSandbox
  /** The hash of the image of its handler. */
  readonly handlerHash: string
  /** Where the promise of its result is. */
  readonly resultPtr: number
  readonly waits: readonly Wait[]
  readonly timers: readonly PausedTimer[]
}

/** The image of a handler, as what differs from the base image. */
export interface FrozenHandler {
  /** The SHA-256 of its memory and of the identity of its base. */
  readonly hash: string
  readonly memoryBytes: number
  /** Compressed. */
  readonly memory: Uint8Array
}
