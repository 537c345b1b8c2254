import type { CommandCall } from '../command-call.js'
import type { CommandFiles } from '../files/command-files.js'
import type { GuestMemory } from './guest-memory.js'
import type { Preview1Name } from './signatures.js'

/** What the imported functions work on; `call` and what `memory` shows change with each call. */
export interface HostContext {
  call: CommandCall
  readonly memory: GuestMemory
  readonly files: CommandFiles
}

/** Some of the functions of preview 1, which answer an `errno`. Each argument is the guest's. */
export type Preview1Functions = Partial<Record<Preview1Name, (...args: never[]) => number>>

/** Functions that answer an `errno`, or nothing when all is well, or throw a `FileError`. */
export type FileFunctions = Partial<Record<Preview1Name, (...args: never[]) => unknown>>
