import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { QuickJS } from 'quickjs-wasi'

const wasmPath = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')
let wasm: Promise<WebAssembly.Module> | undefined

/** Load module bytecode into a fresh virtual machine, call its default export, return what it returns. */
export async function runHandler(bytecode: Uint8Array, event: unknown): Promise<unknown> {
  wasm ??= readFile(wasmPath).then((bytes) => WebAssembly.compile(new Uint8Array(bytes)))
  const vm = await QuickJS.create({ wasm: await wasm })
  try {
    const loading = vm.evalBytecode(bytecode)
    vm.executePendingJobs()
    const module = await vm.resolvePromise(loading)
    if ('error' in module) throw new Error(module.error.toString())
    const result = vm.callFunction(
      module.value.getProp('default'),
      vm.undefined,
      vm.hostToHandle(event),
    )
    if (!result.isPromise) return vm.dump(result)
    vm.executePendingJobs()
    const settled = await vm.resolvePromise(result)
    if ('error' in settled) throw new Error(settled.error.toString())
    return vm.dump(settled.value)
  } finally {
    vm.dispose()
  }
}
