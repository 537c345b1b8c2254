import { ExecutorError } from '../errors.js'

/** What the engine calls the file of a script that is evaluated. */
export const SCRIPT_FILENAME = '<input>'

/**
 * A handler that evaluates a script, and answers what its last expression gives.
 *
 * @throws ExecutorError `INVALID_OPTIONS` when the script is no text
 */
export function scriptHandler(script: string): string {
  if (typeof script !== 'string') {
    throw new ExecutorError(
      'INVALID_OPTIONS',
      `Expected the script as a string, got ${script === null ? 'null' : typeof script}`,
    )
  }
  return `const evaluate = eval; export default () => evaluate(${JSON.stringify(script)})`
}
