/** A command as the threads that run it know it; everything in it can be sent to a thread. */
export interface WasiProgram {
  /** Compiled once; threads share its machine code. */
  readonly module: WebAssembly.Module
  readonly initialPages: number
  readonly maximumPages: number | undefined
  readonly tableBytes: number
  /** The name of the command first. */
  readonly args: readonly string[]
  /** What all of it holds. */
  readonly byteLength: number
}
