import type { Logger } from '@nexus/diagnostics'
import type { WasmRuntime } from '@nexus/executor'
import {
  type CompiledFunction,
  compileFunctions,
  type FunctionDefinition,
  FunctionsError,
} from '@nexus/functions'
import type { FunctionConfig } from './config/load-config.js'
import { RuntimeError } from './errors.js'

/** What the function host is to run, from the functions of nexus.yaml. */
export function functionDefinitions(configs: readonly FunctionConfig[]): FunctionDefinition[] {
  return configs.map(({ source: _, sample: __, ...definition }) => definition)
}

/** @throws RuntimeError `FUNCTION_INVALID`, naming every function that does not compile and where */
export async function compileConfigured(
  configs: readonly FunctionConfig[],
  wasm: WasmRuntime,
  logger: Logger,
): Promise<CompiledFunction[]> {
  try {
    return await compileFunctions(functionDefinitions(configs), wasm, { logger })
  } catch (cause) {
    if (!(cause instanceof FunctionsError)) throw cause
    throw new RuntimeError('FUNCTION_INVALID', cause.message, { cause })
  }
}
