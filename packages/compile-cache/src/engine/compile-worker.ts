import { parentPort, workerData } from 'node:worker_threads'
import type { SourceLocation } from '../errors.js'
import { authoredPlace, type MadeCode } from './authored-place.js'
import type { EngineResult } from './compile-machine.js'
import { CompileEngine } from './engine.js'
import type { EngineLimits } from './engine-limits.js'

/** What the compile thread is asked: to compile a source, or where its author wrote what is at an offset. */
export type CompileTask = { source: string; filename: string } | { text: MadeCode; offset: number }

/** What a compile thread is started with. */
export interface CompileThreadData {
  wasm: WebAssembly.Module
  limits: EngineLimits
}

const port = parentPort
if (port) {
  const { wasm, limits } = workerData as CompileThreadData
  const engine = new CompileEngine(limits, () => Promise.resolve(wasm))
  port.on('message', async (task: CompileTask) => {
    if ('text' in task) {
      const place: SourceLocation = authoredPlace(task.text, task.offset)
      port.postMessage(place)
      return
    }
    const result: EngineResult = await engine.compile(task.source, task.filename)
    port.postMessage(result, 'bytecode' in result ? [result.bytecode.buffer] : [])
  })
}
