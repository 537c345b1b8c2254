import { parentPort, workerData } from 'node:worker_threads'
import type { EngineResult } from './compile-machine.js'
import { CompileEngine } from './engine.js'
import type { EngineLimits } from './engine-limits.js'

/** What the compile thread is asked. */
export interface CompileRequest {
  source: string
  filename: string
}

/** What a compile thread is started with. */
export interface CompileThreadData {
  wasm: WebAssembly.Module
  limits: EngineLimits
}

const port = parentPort
if (port) {
  const { wasm, limits } = workerData as CompileThreadData
  const engine = new CompileEngine(limits, () => Promise.resolve(wasm))
  port.on('message', async ({ source, filename }: CompileRequest) => {
    const result: EngineResult = await engine.compile(source, filename)
    port.postMessage(result, 'bytecode' in result ? [result.bytecode.buffer] : [])
  })
}
