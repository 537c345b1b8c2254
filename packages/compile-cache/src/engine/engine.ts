import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { CompileMachine, type EngineResult } from './compile-machine.js'
import type { EngineLimits } from './engine-limits.js'

/** The engine as part of every cache key: bytecode of one build is wrong for any other. */
export function engineVersion(): string {
  const manifest: { version: string } = createRequire(import.meta.url)('quickjs-wasi/package.json')
  return `quickjs-wasi@${manifest.version}`
}

let engineModule: Promise<WebAssembly.Module> | undefined

/** The engine's WebAssembly module, compiled once per process. */
export function loadEngineModule(): Promise<WebAssembly.Module> {
  engineModule ??= compileEngineModule().catch((error: unknown) => {
    engineModule = undefined // the next caller tries again
    throw error
  })
  return engineModule
}

async function compileEngineModule(): Promise<WebAssembly.Module> {
  const path = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')
  return WebAssembly.compile(new Uint8Array(await readFile(path)))
}

/**
 * Turns module source into bytecode, always in a pristine virtual machine: after each compile its memory
 * is rewound, and a machine that grew or trapped is dropped.
 */
export class CompileEngine {
  readonly #limits: EngineLimits
  readonly #loadModule: () => Promise<WebAssembly.Module>
  #machine: Promise<CompileMachine> | undefined

  /** @param loadModule where the engine's WebAssembly module comes from */
  constructor(limits: EngineLimits, loadModule = loadEngineModule) {
    this.#limits = limits
    this.#loadModule = loadModule
  }

  /** Compile `source` as an ES module that calls itself `filename`. */
  async compile(source: string, filename: string): Promise<EngineResult> {
    const machine = await this.#pristineMachine()
    const result = machine.compile(source, filename)
    if (machine.spent) this.#machine = undefined
    return result
  }

  async #pristineMachine(): Promise<CompileMachine> {
    for (;;) {
      this.#machine ??= this.#loadModule().then((wasm) => CompileMachine.create(wasm, this.#limits))
      const pending = this.#machine
      const machine = await pending.catch((error: unknown) => {
        if (this.#machine === pending) this.#machine = undefined
        throw error
      })
      // Another compile may have used the machine up while this one waited.
      if (!machine.spent) return machine
    }
  }
}
