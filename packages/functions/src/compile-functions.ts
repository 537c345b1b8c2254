import { fileURLToPath } from 'node:url'
import { guardLogger, type Logger } from '@nexus/diagnostics'
import { ExecutorError, type WasiOptions, type WasmRuntime } from '@nexus/executor'
import { dataCheck } from './data-check.js'
import { FunctionsError } from './errors.js'
import { assertFailureFunctions } from './failure/failure-functions.js'
import type { CompiledFunction, FunctionDefinition } from './function-definition.js'
import { HttpRoutes } from './http/http-routes.js'
import { logCompiled } from './log/log-compiled.js'
import { definitionSchema, parseOptions } from './options.js'

/** Options of {@link compileFunctions}. */
export interface CompileFunctionsOptions {
  /** Told of each function what was compiled. @default nothing is logged */
  logger?: Logger | undefined
}

/**
 * Compiles the code of every function that is not compiled yet.
 *
 * @throws FunctionsError `INVALID_OPTIONS`; `FUNCTION_INVALID`, naming every function that does not compile and where;
 * `FUNCTION_EXISTS` when two have one name
 *
 * @example
 * ```ts
 * const functions = await compileFunctions([{ name: 'total', file: './total.ts', events: 'order.*' }], runtime)
 * await host.bind(functions)
 * ```
 */
export async function compileFunctions(
  definitions: readonly FunctionDefinition[],
  runtime: WasmRuntime,
  { logger }: CompileFunctionsOptions = {},
): Promise<CompiledFunction[]> {
  const log = guardLogger(logger)
  const names = new Set<string>()
  for (const definition of definitions) {
    parseOptions(definitionSchema, definition, `function ${String(definition?.name)}`)
    const { name } = definition
    if (names.has(name)) {
      throw new FunctionsError(
        'FUNCTION_EXISTS',
        `function ${name} is there twice: names are unique`,
      )
    }
    names.add(name)
  }
  assertFailureFunctions(definitions)
  new HttpRoutes(definitions)
  const results = await Promise.allSettled(
    definitions.map(async (definition) => {
      const compiled = await compile(definition, runtime)
      if (compiled !== definition.compiled) logCompiled(log, definition.name, compiled)
      return { ...definition, compiled }
    }),
  )
  const failures: string[] = []
  const compiled: CompiledFunction[] = []
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') compiled.push(result.value)
    else failures.push(describe(definitions[index]!, result.reason))
  }
  if (failures.length > 0) throw new FunctionsError('FUNCTION_INVALID', failures.join('\n\n'))
  return compiled
}

/** The path of a function's file; undefined where it has none. */
export function pathOf({ file }: FunctionDefinition): string | undefined {
  return file instanceof URL ? fileURLToPath(file) : file
}

async function compile(
  definition: FunctionDefinition,
  runtime: WasmRuntime,
): Promise<CompiledFunction['compiled']> {
  const { source, name, schema } = definition
  if (schema !== undefined) dataCheck(schema)
  if (definition.compiled !== undefined) return definition.compiled
  if (source !== undefined) {
    return runtime.precompileHandler(source, { filename: `${name}.js`, functionName: name })
  }
  return runtime.precompileFile(pathOf(definition)!, {
    root: definition.importRoot,
    functionName: name,
    ...(await wasiOptionsOf(definition, runtime)),
  })
}

async function wasiOptionsOf(
  { args, files, importRoot }: FunctionDefinition,
  runtime: WasmRuntime,
): Promise<WasiOptions | undefined> {
  if (!args && !files) return undefined
  const contents = Object.entries(files ?? {}).map(
    async ([path, file]) => [path, await runtime.readFile(file, importRoot)] as const,
  )
  return {
    ...(args && { args: [...args] }),
    files: Object.fromEntries(await Promise.all(contents)),
  }
}

/** The message of the compiler has the file, the line and the column. */
function describe({ name }: FunctionDefinition, error: unknown): string {
  const isKnown = error instanceof ExecutorError || error instanceof FunctionsError
  if (!isKnown && !isSystemError(error)) throw error
  return `function ${name}: ${error.message}`
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
