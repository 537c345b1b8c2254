import type { WasiOptions } from '../wasi/wasi-handler.js'

/** How to compile a source ahead of its calls. */
export interface PrecompileOptions {
  /** The name under which errors show it. @default 'handler.js' */
  filename?: string | undefined
  /** The function that the figures of the compilation belong to. @default '(anonymous)' */
  functionName?: string | undefined
}

/** How to compile a file: its import root, and what a `.wasm` command is given. */
export interface FileOptions extends WasiOptions {
  /**
   * Directory whose files the handler may import.
   * @default the directory of the file
   */
  root?: string | undefined
  /** The function that the figures of the compilation belong to. @default '(anonymous)' */
  functionName?: string | undefined
}
