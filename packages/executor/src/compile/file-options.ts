import type { WasiOptions } from '../wasi/wasi-handler.js'

/** How to compile a file: its import root, and what a `.wasm` command is given. */
export interface FileOptions extends WasiOptions {
  /**
   * Directory whose files the handler may import.
   * @default the directory of the file
   */
  root?: string | undefined
}
