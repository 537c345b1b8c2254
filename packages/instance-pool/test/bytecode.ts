import { EvalFlags, QuickJS } from 'quickjs-wasi'
import { loadEngineModule } from '../src/engine/engine-module.js'

/** Module bytecode of a source, as the compile cache makes it. */
export async function bytecodeOf(source: string): Promise<Uint8Array> {
  const vm = await QuickJS.create({ wasm: (await loadEngineModule()).module })
  try {
    return vm.compile(source, 'handler.js', EvalFlags.TYPE_MODULE | EvalFlags.COMPILE_ONLY)
  } finally {
    vm.dispose()
  }
}
