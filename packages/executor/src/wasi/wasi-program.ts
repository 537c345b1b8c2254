import type { NamedFile } from './files/named-file.js'

/** A command as the threads that run it know it; everything in it can be sent to a thread. */
export interface WasiProgram {
  /** Compiled once; threads share its machine code. */
  readonly module: WebAssembly.Module
  readonly initialPages: number
  readonly maximumPages: number | undefined
  readonly tableBytes: number
  /** The name of the command first. */
  readonly args: readonly string[]
  /** What its file system holds at the start of each call. */
  readonly files: readonly NamedFile[]
  /** Whether it imports functions that take a path. */
  readonly usesFiles: boolean
  /** What all of it holds. */
  readonly byteLength: number
}
