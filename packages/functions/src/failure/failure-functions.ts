import { FunctionsError } from '../errors.js'
import type { FunctionDefinition } from '../function-definition.js'

/** Names of the functions whose dead letters a function hears of. */
export function failuresHeardBy(
  name: string,
  definitions: readonly Pick<FunctionDefinition, 'name' | 'onFailure'>[],
): string[] {
  return definitions.filter(({ onFailure }) => onFailure === name).map((one) => one.name)
}

/**
 * What is wrong with the `onFailure` of a function: it has to name another one, without an `onFailure` of its own.
 *
 * @param all the functions that are to run together
 */
export function failureProblem(
  { onFailure }: Pick<FunctionDefinition, 'onFailure'>,
  all: readonly Pick<FunctionDefinition, 'name' | 'onFailure'>[],
): string | undefined {
  if (onFailure === undefined) return undefined
  const target = all.find(({ name }) => name === onFailure)
  if (target === undefined)
    return `onFailure: expected the name of another function, got ${onFailure}`
  if (target.onFailure === undefined) return undefined
  return `onFailure: expected a function without an onFailure of its own, which could go on for ever, got ${onFailure}`
}

/** @throws FunctionsError `FUNCTION_INVALID` for the first `onFailure` with a problem */
export function assertFailureFunctions(definitions: readonly FunctionDefinition[]): void {
  for (const definition of definitions) {
    const problem = failureProblem(definition, definitions)
    if (problem !== undefined) {
      throw new FunctionsError('FUNCTION_INVALID', `function ${definition.name}: ${problem}`)
    }
  }
}
