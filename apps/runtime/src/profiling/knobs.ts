import type { HandlerCompiler } from '@nexus/compile-cache'
import type { WasmRuntime } from '@nexus/executor'
import type { Knob } from '@nexus/profiler'

/** What optimizations may turn while the server runs. */
export interface KnobParts {
  wasm: WasmRuntime
  compiler: HandlerCompiler
}

const MiB = 1024 ** 2
const maxBytes = 16 * 1024 * MiB

/** The settings that optimizations turn, under the ids that their rules know. */
export function runtimeKnobs({ wasm, compiler }: KnobParts): Knob[] {
  return [
    {
      id: 'cache.maxBytes',
      unit: 'bytes',
      min: MiB,
      max: maxBytes,
      read: () => compiler.getStats().memory.maxBytes,
      write: (value) => compiler.resizeMemory(value),
    },
    {
      id: 'handlers.maxBytes',
      unit: 'bytes on each thread',
      min: 1,
      max: maxBytes,
      read: () => wasm.getStats().limits.maxHandlerBytes,
      write: (value) => wasm.resize({ maxHandlerBytes: value }),
    },
    {
      id: 'pool.maxInstances',
      unit: 'instances on each thread',
      min: 1,
      max: 1024,
      read: () => wasm.getStats().limits.maxInstances,
      write: (value) => wasm.resize({ maxInstances: value }),
    },
  ]
}
