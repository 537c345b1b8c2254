import { parentPort, workerData } from 'node:worker_threads'
import { ExecutorError } from '../../errors.js'
import { layOutCommand } from './command-layout.js'
import type { LayoutAnswer, LayoutRequest } from './lay-out-on-thread.js'

const { bytes, filename } = workerData as LayoutRequest

function answer(): LayoutAnswer {
  try {
    return { layout: layOutCommand(bytes, filename) }
  } catch (error) {
    if (!(error instanceof ExecutorError)) throw error
    return { refusal: { code: error.code, message: error.message } }
  }
}

const said = answer()
parentPort!.postMessage(said, 'layout' in said ? [said.layout.wasm.buffer] : [])
