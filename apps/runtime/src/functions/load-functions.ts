import { readFile } from 'node:fs/promises'
import {
  type CompiledHandler,
  ExecutorError,
  type WasiHandler,
  type WasiOptions,
  type WasmRuntime,
} from '@nexus/executor'
import type { FunctionConfig } from '../config/load-config.js'
import { RuntimeError } from '../errors.js'

/** A function whose handler is compiled. */
export interface LoadedFunction {
  config: FunctionConfig
  compiled: CompiledHandler | WasiHandler
}

/**
 * Compiles the handlers of all functions.
 *
 * @throws RuntimeError `FUNCTION_INVALID`, naming every function that does not compile and where
 */
export async function loadFunctions(
  configs: readonly FunctionConfig[],
  wasm: WasmRuntime,
): Promise<LoadedFunction[]> {
  const results = await Promise.allSettled(
    configs.map(async (config) => ({
      config,
      compiled: await wasm.precompileFile(config.file, await wasiOptionsOf(config)),
    })),
  )
  const failures: string[] = []
  const loaded: LoadedFunction[] = []
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') loaded.push(result.value)
    else failures.push(describe(configs[index]!, result.reason))
  }
  if (failures.length > 0) throw new RuntimeError('FUNCTION_INVALID', failures.join('\n\n'))
  return loaded
}

async function wasiOptionsOf({ args, files }: FunctionConfig): Promise<WasiOptions | undefined> {
  if (!args && !files) return undefined
  const contents = Object.entries(files ?? {}).map(
    async ([path, file]) => [path, await readFile(file)] as const,
  )
  return { args, files: Object.fromEntries(await Promise.all(contents)) }
}

/** The message of the compiler has the file, the line and the column. */
function describe({ name }: FunctionConfig, error: unknown): string {
  if (!(error instanceof ExecutorError)) throw error
  return `function ${name}: ${error.message}`
}
