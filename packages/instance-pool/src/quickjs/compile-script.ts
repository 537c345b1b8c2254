import { CompileFlags, EvalFlags, QuickJS } from 'quickjs-wasi'
import { loadEngineModule } from '../engine/engine-module.js'

/**
 * Compiles a script of the program itself, without its source and its places, to bytecode for
 * `QuickJSInstance.evalBytecode`.
 *
 * This happens in an engine of its own: what the parser leaves in the heap would be more pages to copy back after every
 * call.
 */
export async function compileScript(source: string): Promise<Uint8Array> {
  const { module: wasm } = await loadEngineModule()
  const vm = await QuickJS.create({ wasm })
  try {
    return vm.compile(
      source,
      'nexus:prelude',
      EvalFlags.TYPE_GLOBAL,
      CompileFlags.STRIP_SOURCE | CompileFlags.STRIP_DEBUG,
    )
  } finally {
    vm.dispose()
  }
}
