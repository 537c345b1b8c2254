import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

let compiled: Promise<WebAssembly.Module> | undefined

/** The QuickJS engine as a compiled WebAssembly module; compiled once per thread, shareable by `postMessage`. */
export function loadEngineModule(): Promise<WebAssembly.Module> {
  compiled ??= readFile(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')).then(
    (bytes) => WebAssembly.compile(bytes),
  )
  return compiled
}
