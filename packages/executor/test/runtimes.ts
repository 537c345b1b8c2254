import { WasmRuntime, type WasmRuntimeOptions } from '@nexus/executor'
import { afterAll } from 'vitest'

/** A runtime that ends with the test file; without a disk cache, so that tests do not meet in one. */
export function openRuntime(options: WasmRuntimeOptions = {}): WasmRuntime {
  const runtime = new WasmRuntime({ cacheDir: false, ...options })
  afterAll(() => runtime.shutdown())
  return runtime
}

/** A handler whose body is `body`, with `event` and `ctx` in scope. */
export function handler(body: string): string {
  return `export default async (event, ctx) => { ${body} }`
}
